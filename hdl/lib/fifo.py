"""First in, first out: a queue in block memory."""

from typing import Any

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .memory import block_memory

__all__ = ["BlockFifo"]


class BlockFifo(wiring.Component):
    """Queue of words in a block memory.

    Latency is :attr:`latency` cycles, throughput one word per cycle. It takes ``depth`` words (one
    more, once the first waits at the output) before any of them is taken out.

    Parameters
    ----------
    shape : ShapeLike
    depth : int

    Members
    -------
    i : In(stream.Signature(shape))
    o : Out(stream.Signature(shape))
    """

    latency = 2

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape, self.depth = shape, depth
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = block_memory(shape=self.shape, depth=self.depth)
        read, write = memory.read_port(), memory.write_port()
        level = Signal(range(self.depth + 1))

        m.d.comb += [self.i.ready.eq(level != self.depth), write.data.eq(self.i.payload)]
        m.d.comb += write.en.eq(self.i.valid & self.i.ready)
        m.d.comb += read.en.eq((level != 0) & (self.o.ready | ~self.o.valid))
        m.d.comb += self.o.payload.eq(read.data)
        m.d.sync += level.eq(level + write.en - read.en)
        with m.If(write.en):
            m.d.sync += write.addr.eq(self._next(write.addr))
        with m.If(read.en):
            m.d.sync += read.addr.eq(self._next(read.addr))
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += self.o.valid.eq(read.en)
        return m

    def _next(self, address: Any) -> Value:
        return Mux(address == self.depth - 1, 0, address + 1)
