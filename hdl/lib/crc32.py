"""CRC-32 of bytes, one bit a cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Crc32"]

POLYNOMIAL = 0xEDB88320  # 0x04C11DB7, lowest bit first
INITIAL = 0xFFFFFFFF


class Crc32(wiring.Component):
    """The check sum of the host link (CRC-32/JAMCRC, :func:`lutformer.model.link.frames.crc32`).

    A byte that leaves ``crc`` first and is taken in again shifts the rest of it down, so that four
    of them send it. Four bytes that are the CRC of those before do the same; others feed a 1 back.

    One bit a cycle takes half the logic cells of one byte a cycle; a serial line waits for neither.

    Latency is :attr:`latency` cycles, throughput one byte in as many and one.

    Members
    -------
    i : In(stream.Signature(8))
        The bytes.
    reset : In(1)
        Begin anew, whatever is going on; a byte of this cycle is not taken in.
    crc : Out(32)
        Of the bytes so far, while ``i.ready``.
    watch : In(1)
        Look at the bytes from the one of this cycle on:
    fed : Out(1)
        Whether they have fed a 1 back.
    """

    latency = 8

    i: stream.Interface
    reset: Signal
    crc: Signal
    watch: Signal
    fed: Signal

    def __init__(self) -> None:
        out = Out(32, init=INITIAL)  # pyright: ignore[reportCallIssue]  # the stubs lack init
        ports = {"i": In(stream.Signature(8)), "reset": In(1), "crc": out}
        super().__init__({**ports, "watch": In(1), "fed": Out(1)})
        self._bits = Signal(9, init=1)  # to come, the lowest first, then a 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, crc = self._bits, self.crc
        m.d.comb += self.i.ready.eq(bits[1:] == 0)
        feeds = Signal()
        m.d.comb += feeds.eq(~self.i.ready & (crc[0] ^ bits[0]))
        m.d.sync += self.fed.eq(~self.watch & (self.fed | feeds))
        with m.If(~self.i.ready):
            m.d.sync += [bits.eq(bits[1:]), crc.eq(crc[1:] ^ Mux(feeds, POLYNOMIAL, 0))]
        with m.Elif(self.i.valid):
            m.d.sync += bits.eq(Cat(self.i.payload, 1))
        with m.If(self.reset):
            m.d.sync += [bits.eq(1), crc.eq(INITIAL)]
        return m
