"""Weights in a memory that must be loaded before it is used, in hardware."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.storage.part import check
from ..lib.memory import large_memory, read_port

__all__ = ["WeightStore"]


class WeightStore(wiring.Component):
    """One memory for the weights of several engines; one engine reads at a time.

    Loading takes a byte a cycle, the lowest of a word first. A word can be read the cycle after
    its last byte came; an engine's word stays until any engine reads again.

    Parameters
    ----------
    width : int
        Bits of a word, whole bytes.
    depths : sequence of int
        Words of each engine, one engine's behind the other's.

    Members
    -------
    restart : In(1)
        The next byte is the first one.
    i : In(stream.Signature(8))
        The bytes of all words.
    loaded : Out(1)
        All have come.
    ports : In(read_port(width, depth)), one for each engine
    """

    restart: Signal
    i: stream.Interface
    loaded: Signal
    ports: list[Any]

    def __init__(self, width: int, depths: Sequence[int]) -> None:
        check(width % 8 == 0, f"Words of stored weights must have whole bytes, not {width!r} bits")
        self.width, self.depths = width, tuple(depths)
        ports = {f"port{n}": In(read_port(width, depth)) for n, depth in enumerate(depths)}
        super().__init__({"restart": In(1), "i": In(stream.Signature(8)), "loaded": Out(1)} | ports)
        self.ports = [getattr(self, name) for name in ports]

    @property
    def bytes(self) -> int:
        """Bytes to load."""
        return sum(self.depths) * self.width // 8

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth, size = sum(self.depths), self.width // 8
        m.submodules.words = memory = large_memory(shape=unsigned(self.width), depth=depth)
        read, write = memory.read_port(), memory.write_port(granularity=8)
        at = Signal(range(depth + 1))
        byte = Signal(range(size))
        address = Signal(range(depth))

        m.d.comb += [self.loaded.eq(at == depth), self.i.ready.eq(~self.loaded), read.en.eq(0)]
        m.d.comb += [write.data.eq(self.i.payload.replicate(size)), address.eq(at)]
        with m.If(self.i.valid & self.i.ready):
            m.d.comb += write.en.eq(1 << byte)
            m.d.sync += [byte.eq(Mux(write.en[-1], 0, byte + 1)), at.eq(at + write.en[-1])]
        with m.If(self.restart):
            m.d.sync += [at.eq(0), byte.eq(0)]
        first = 0
        for port, words in zip(self.ports, self.depths, strict=True):
            m.d.comb += port.data.eq(read.data)
            with m.If(port.en):
                m.d.comb += [address.eq(first + port.addr), read.en.eq(write.en == 0)]
            first += words
        m.d.comb += [read.addr.eq(address), write.addr.eq(address)]
        return m
