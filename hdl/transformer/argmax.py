"""The class of the largest logit in hardware."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ..lib.memory import block_memory
from ..lib.result_bytes import CYCLE_BYTES, ResultBytes

__all__ = ["ArgMax"]


class ArgMax(wiring.Component):
    """Find the largest logit, and send the result of an inference as bytes.

    Computes docs/math.md, Eq. 21: the lowest index of equals. The bytes are those of
    :class:`.result_bytes.ResultBytes`.

    Parameters
    ----------
    classes : int
    width : int
        Signed width of a logit.

    Members
    -------
    i : In(stream.Signature(signed(width)))
        The logits of each inference.
    cycles : In(32)
        What to report; steady while the result is sent.
    done : Out(1)
        High with the last logit.
    sending : Out(1)
        A result is being sent.
    o : Out(stream.Signature(8))
    """

    i: stream.Interface
    cycles: Signal
    done: Signal
    sending: Signal
    o: stream.Interface

    def __init__(self, *, classes: int, width: int) -> None:
        self.classes, self.width = classes, width
        super().__init__(
            {
                "i": In(stream.Signature(signed(width))),
                "cycles": In(8 * CYCLE_BYTES),
                "done": Out(1),
                "sending": Out(1),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.logits = memory = block_memory(
            shape=signed(self.width),
            depth=self.classes,
        )
        m.submodules.result = result = ResultBytes(classes=self.classes, width=self.width)
        write, read = memory.write_port(), memory.read_port()
        index = Signal(range(self.classes))
        best = Signal(signed(self.width))
        take = Signal()
        last = Signal()

        m.d.comb += [take.eq(self.i.valid & self.i.ready), last.eq(index == self.classes - 1)]
        m.d.comb += [write.addr.eq(index), write.data.eq(self.i.payload), write.en.eq(take)]
        m.d.comb += [self.done.eq(take & last), self.i.ready.eq(~result.valid)]
        m.d.comb += [read.addr.eq(result.index), result.logit.eq(read.data)]
        m.d.comb += [result.cycles.eq(self.cycles), self.sending.eq(result.valid)]
        connect(m, result.o, wiring.flipped(self.o))
        with m.If(take):
            m.d.sync += index.eq(Mux(last, 0, index + 1))
            with m.If((index == 0) | (self.i.payload > best)):
                m.d.sync += [best.eq(self.i.payload), result.winner.eq(index)]
        with m.If(self.done | result.done):
            m.d.sync += result.valid.eq(self.done)
        return m
