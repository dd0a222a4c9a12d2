"""Buffer of some or all tokens of an attention engine, in block RAM."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..lib.memory import block_memory

__all__ = ["TokenBuffer"]


class TokenBuffer(wiring.Component):
    """Pack the elements of tokens into words, to be read in the same order.

    Each head's elements begin a new word. After the last token's last word the first one follows
    again. A word can be read the cycle after its token's last element came.

    Parameters
    ----------
    bits : int
        Width of an element.
    elements, heads, tokens : int
        Elements of a head, heads of a token, tokens of a job.
    lanes : int
        Elements of a word.
    room : int
        Tokens that are kept: all, or fewer, which then must be released.

    Members
    -------
    start : In(1)
        Begin a job: accept as many tokens as it has.
    i : In(stream.Signature(bits))
        Of each token, of each head: the elements.
    complete : Out(1)
        The next token that is not released has come.
    release : In(1)
        It need not be kept.
    step, following : In(1)
        Read; and go to the next word.
    word : Out(lanes * bits)
        The word that the last step read.
    """

    start: Signal
    i: stream.Interface
    complete: Signal
    release: Signal
    step: Signal
    following: Signal
    word: Signal

    def __init__(
        self, *, bits: int, elements: int, heads: int, tokens: int, lanes: int, room: int
    ) -> None:
        self.bits, self.elements, self.lanes = bits, elements, lanes
        self.heads, self.tokens, self.room = heads, tokens, room
        self.words = -(-elements // lanes)
        super().__init__(
            {
                "start": In(1),
                "i": In(stream.Signature(bits)),
                "complete": Out(1),
                "release": In(1),
                "step": In(1),
                "following": In(1),
                "word": Out(lanes * bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = self.room * self.heads * self.words
        m.submodules.memory = memory = block_memory(
            shape=unsigned(self.lanes * self.bits), depth=depth
        )
        write, read = memory.write_port(), memory.read_port()
        full = Signal(range(self.room + 1))
        left = Signal(range(self.tokens + 1))
        arrived = Signal()

        m.d.comb += [self.i.ready.eq((left != 0) & (full != self.room)), self.complete.eq(full > 0)]
        m.d.comb += arrived.eq(self._pack(m, write))
        m.d.sync += full.eq(full + arrived - self.release)
        m.d.comb += [read.en.eq(self.step), self.word.eq(read.data)]
        with m.If(arrived):
            m.d.sync += left.eq(left - 1)
        with m.If(write.en):
            m.d.sync += write.addr.eq(Mux(write.addr == depth - 1, 0, write.addr + 1))
        with m.If(self.following):
            m.d.sync += read.addr.eq(Mux(read.addr == depth - 1, 0, read.addr + 1))
        with m.If(self.start):
            m.d.sync += [left.eq(self.tokens), write.addr.eq(0), read.addr.eq(0)]
        return m

    def _pack(self, m: Module, write: Any) -> Signal:
        """Write words as they become complete; return whether a token does."""
        spare = self.words * self.lanes - self.elements  # of a head's last word
        packed = Signal(self.lanes * self.bits)
        kept = Signal((self.lanes - 1) * self.bits)
        element = Signal(range(self.elements))
        lane = Signal(range(self.lanes))
        head = Signal(range(self.heads))
        last, end, arrived = Signal(), Signal(), Signal()

        m.d.comb += packed.eq(Cat(kept, self.i.payload))
        m.d.comb += last.eq(element == self.elements - 1)
        m.d.comb += end.eq(last & (head == self.heads - 1))
        m.d.comb += write.data.eq(Mux(last, packed >> spare * self.bits, packed))
        with m.If(self.i.valid & self.i.ready):
            m.d.comb += [write.en.eq(last | (lane == self.lanes - 1)), arrived.eq(end)]
            m.d.sync += [kept.eq(packed[self.bits :]), element.eq(Mux(last, 0, element + 1))]
            m.d.sync += lane.eq(Mux(write.en, 0, lane + 1))
            with m.If(last):
                m.d.sync += head.eq(Mux(end, 0, head + 1))
        return arrived
