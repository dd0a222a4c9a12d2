"""Numbers of operations and bits, and their energy by published tables."""

from dataclasses import dataclass, fields

__all__ = ["FLOAT_ADD_PJ", "FLOAT_MUL_PJ", "PJ", "Operations", "adds", "multiplies"]

PJ = {
    "mul8": 0.2,  # INT8 mul
    "mul16": 3.1,  # INT32 mul: the table has none of 16 bits, and this is the next wider
    "mul32": 3.1,  # INT32 mul
    "add8": 0.03,  # INT8 add
    "add16": 0.1,  # INT32 add, as above
    "add32": 0.1,  # INT32 add
    "bits": 0.03,  # INT8 add: more than an XOR and the full adder that counts its bit
    "lookups": 0.1,  # INT32 add: 63 two-way multiplexers read 64 bits, about as large
    "shifts": 0.1,  # INT32 add: five levels of 32 two-way multiplexers, the same again
}
"""Picojoules of an operation in a 45 nm chip by Horowitz' table (ISSCC 2014, Fig. 1.1.9).

Which entry a class takes is ours. Where the table has none, it is the next that is more. The table
is of arithmetic in silicon made for it: memories, wires and an FPGA's overhead are not in it.
"""
FLOAT_MUL_PJ, FLOAT_ADD_PJ = 3.7, 0.9
"""Of the same table for 32-bit floats: what EcoFormer's accounting takes for every operation."""


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Operations and memory of one inference; addable.

    A class of operations is named by the wider operand: 8, up to 16, or more bits. Shifts by a
    constant, saturation and the choice of a sign are wires or part of an addition and not counted.
    """

    mul8: int = 0
    mul16: int = 0
    mul32: int = 0
    add8: int = 0
    """Comparisons too."""
    add16: int = 0
    add32: int = 0
    bits: int = 0
    """Bits of codes that are compared (XOR) and counted."""
    lookups: int = 0
    shifts: int = 0
    """By an amount that depends on the data."""
    weight_bits: int = 0
    table_bits: int = 0
    state_bits: int = 0
    """What must be kept from token to token: keys and values, running sums, the residual stream."""

    def __add__(self, other: "Operations") -> "Operations":
        if not isinstance(other, Operations):
            return NotImplemented
        names = [field.name for field in fields(self)]
        return Operations(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def multiplications(self) -> int:
        """Of any width."""
        return self.mul8 + self.mul16 + self.mul32

    @property
    def additions(self) -> int:
        """Of any width, comparisons included."""
        return self.add8 + self.add16 + self.add32

    @property
    def memory_bits(self) -> int:
        """Weights, tables and state."""
        return self.weight_bits + self.table_bits + self.state_bits

    @property
    def energy_pj(self) -> float:
        """Estimate by :data:`PJ`."""
        return sum(getattr(self, name) * pj for name, pj in PJ.items())

    @property
    def energy_fp32_pj(self) -> float:
        """The same by EcoFormer's accounting: 32-bit floats, multiplications and additions only."""
        return FLOAT_MUL_PJ * self.multiplications + FLOAT_ADD_PJ * self.additions


def multiplies(count: int, width: int) -> Operations:
    """Return ``count`` products whose wider factor has ``width`` bits."""
    return Operations(**{f"mul{_class(width)}": count})


def adds(count: int, width: int) -> Operations:
    """Return ``count`` sums of ``width`` bits."""
    return Operations(**{f"add{_class(width)}": count})


def _class(width: int) -> int:
    return 8 if width <= 8 else 16 if width <= 16 else 32
