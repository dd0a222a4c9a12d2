"""A layer of lookup tables in the fabric."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model import lut_layer as golden

__all__ = ["LutLayer"]


class LutLayer(wiring.Component):
    """Look up every table at once.

    Computes docs/math.md, Eq. 16, equal in every bit to
    :func:`lutformer.model.lut_layer.lut_layer`. Combinational: a table of n inputs becomes as many
    cells as the fabric needs for n inputs, and less where it is simpler than its size.

    Parameters
    ----------
    layer : LutLayer

    Members
    -------
    i : In(layer.inputs)
    o : Out(layer.luts)
    """

    i: Signal
    o: Signal

    def __init__(self, layer: golden.LutLayer) -> None:
        self.layer = layer
        super().__init__({"i": In(layer.inputs), "o": Out(layer.luts)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        outputs = []
        for table, wires in zip(self.layer.tables, self.layer.mapping, strict=True):
            outputs.append(_shannon(tuple(map(int, table)), [self.i[int(w)] for w in wires]))
        m.d.comb += self.o.eq(Cat(*outputs))
        return m


def _shannon(table: tuple[int, ...], inputs: Sequence[Value]) -> Value:
    """Expand a table by its most significant input, leaving out inputs that do not matter."""
    if len(set(table)) == 1:
        return Const(table[0], 1)
    low, high = table[: len(table) // 2], table[len(table) // 2 :]
    if low == high:
        return _shannon(low, inputs[:-1])
    if len(table) == 2:
        return inputs[0] if table[1] else ~inputs[0]
    return Mux(inputs[-1], _shannon(high, inputs[:-1]), _shannon(low, inputs[:-1]))
