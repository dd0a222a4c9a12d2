"""The cells that a graph of lookup tables is mapped to."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Instance, Value

__all__ = ["FABRICS", "Fabric"]

LUT4 = (0, 1, 1, 1, 1)


@dataclass(frozen=True)
class Fabric:
    """The cells of a chip, and their names in Yosys.

    Attributes
    ----------
    widths : tuple of int
        Cells that a table of 0, 1, 2, ... inputs takes; no table is wider than there are entries.
    cell : str
        Yosys' name of a table of four inputs; empty for plain Verilog, which any synthesiser maps
        once more, as it likes.
    parameter, inputs, output : str
        Of that cell: its table, its inputs, the address's lowest bit first, and its output.
    """

    widths: tuple[int, ...] = LUT4
    cell: str = ""
    parameter: str = ""
    inputs: tuple[str, ...] = ()
    output: str = ""

    @property
    def fan_in(self) -> int:
        """Most inputs of a table."""
        return len(self.widths) - 1

    def instance(self, table: int, inputs: Sequence[Value], output: Value) -> Instance:
        """Return the cell of a table; one that is wider than the fabric's own is plain logic."""
        if not self.cell or len(inputs) > 4:
            size = len(inputs)
            lut = {"p_WIDTH": size, "p_LUT": Const(table, 1 << size), "i_A": Cat(*inputs)}
            return Instance("$lut", **lut, o_Y=output)
        for n in range(len(inputs), 4):  # the same whatever the unused inputs are
            table |= table << (1 << n)
        pins = dict.fromkeys(self.inputs, Const(0, 1)) | dict(
            zip(self.inputs, inputs, strict=False)
        )
        return Instance(
            self.cell,
            **{f"p_{self.parameter}": Const(table, 16)},
            **{f"i_{name}": value for name, value in pins.items()},
            **{f"o_{self.output}": output},
        )


FABRICS = {
    "lut4": Fabric(),
    "wide": Fabric((*LUT4, 2, 4)),
    "ice40": Fabric(LUT4, "SB_LUT4", "LUT_INIT", ("I0", "I1", "I2", "I3"), "O"),
    # Wider tables are left to Yosys: two or four LUT4 and the multiplexers behind them.
    "ecp5": Fabric((*LUT4, 2, 4), "LUT4", "INIT", ("A", "B", "C", "D"), "Z"),
}
"""By name: ``lut4`` and ``wide`` (with multiplexers behind pairs of cells) are plain Verilog, the
others hold the cells of a family."""
