"""Thermometer encoder in hardware."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model import thermometer as golden
from ...model.arithmetic import ACTIVATION_BITS
from ..lib.arithmetic import multiple
from ..lib.memory import block_memory

__all__ = ["Thermometer"]


class Thermometer(wiring.Component):
    """Compare channels with their thresholds and gather the bits of a token.

    Computes docs/math.md, Eq. 15, equal in every bit to
    :func:`lutformer.model.thermometer.thermometer`. Thresholds that all channels of all layers
    share become constants; others lie in a memory.

    One channel a cycle; the token is offered one cycle after its last channel.

    Parameters
    ----------
    layers : sequence of Thermometer
        Equal in shape.

    Members
    -------
    layer : In(range(len(layers) + 1))
        Whose thresholds are used; steady during a token.
    i : In(stream.Signature(signed(8)))
        D channels a token.
    o : Out(stream.Signature(D * B))
    """

    latency = 1

    layer: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, layers: Sequence[golden.Thermometer]) -> None:
        self.layers = tuple(layers)
        super().__init__(
            {
                "layer": In(range(len(self.layers) + 1)),
                "i": In(stream.Signature(signed(ACTIVATION_BITS))),
                "o": Out(stream.Signature(self.layers[0].bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        channels, size = self.layers[0].thresholds.shape
        channel = Signal(range(channels))
        following = Signal.like(channel)
        take = Signal()

        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        m.d.comb += [take.eq(self.i.valid & self.i.ready), following.eq(channel)]
        thresholds = self._thresholds(m, following)
        bits = Cat(*[self.i.payload > threshold for threshold in thresholds])
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(take):
            m.d.comb += following.eq(Mux(channel == channels - 1, 0, channel + 1))
            m.d.sync += self.o.payload.eq(Cat(self.o.payload, bits)[size:])
            m.d.sync += self.o.valid.eq(channel == channels - 1)
        m.d.sync += channel.eq(following)
        return m

    def _thresholds(self, m: Module, following: Signal) -> list:
        """Return the thresholds of the current channel."""
        rows = np.concatenate([layer.thresholds for layer in self.layers]).astype(int)
        if (rows == rows[0]).all():
            return [int(threshold) for threshold in rows[0]]
        size, mask = rows.shape[1], (1 << ACTIVATION_BITS) - 1
        image = [
            sum((int(t) & mask) << ACTIVATION_BITS * n for n, t in enumerate(row)) for row in rows
        ]
        m.submodules.thresholds = memory = block_memory(
            shape=unsigned(ACTIVATION_BITS * size), depth=len(rows), init=image
        )
        read = memory.read_port()
        first = multiple(self.layer, len(self.layers[0].thresholds), len(self.layers))
        m.d.comb += read.addr.eq(first + following)
        return [read.data.word_select(n, ACTIVATION_BITS).as_signed() for n in range(size)]
