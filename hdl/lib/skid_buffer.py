"""Skid buffer: a stream whose ready comes from a register."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SkidBuffer"]


class SkidBuffer(wiring.Component):
    """Hold a word that the receiver does not accept, so that ``ready`` can be registered.

    A long pipeline then does not wait for the logic of all that comes after it. Latency is 0
    cycles, throughput one word per cycle.

    Parameters
    ----------
    shape : ShapeLike

    Members
    -------
    i : In(stream.Signature(shape))
        Its ``ready`` is a register.
    o : Out(stream.Signature(shape))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape: ShapeLike) -> None:
        self.shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = Signal(self.shape)
        empty = Signal(init=1)
        m.d.comb += [self.i.ready.eq(empty), self.o.valid.eq(self.i.valid | ~empty)]
        m.d.comb += self.o.payload.eq(Mux(empty, self.i.payload, held))
        m.d.sync += empty.eq(~self.o.valid | self.o.ready)
        with m.If(empty):
            m.d.sync += held.eq(self.i.payload)
        return m
