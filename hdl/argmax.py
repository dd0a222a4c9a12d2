"""The class of the largest logit, and the bytes of a result, in hardware."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import select
from .memory import block_memory

__all__ = ["ArgMax"]

CLASS_BYTES, CYCLE_BYTES, LOGIT_BYTES = 2, 4, 4


class ArgMax(wiring.Component):
    """Find the largest logit, and send the result of an inference as bytes.

    Computes docs/math.md, Eq. 21: the lowest index of equals. The bytes are the class (2), the
    number of cycles (4), and each logit (4), all little-endian.

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
    o : Out(stream.Signature(8))
    """

    i: stream.Interface
    cycles: Signal
    done: Signal
    o: stream.Interface

    def __init__(self, *, classes: int, width: int) -> None:
        self.classes, self.width = classes, width
        super().__init__(
            {
                "i": In(stream.Signature(signed(width))),
                "cycles": In(8 * CYCLE_BYTES),
                "done": Out(1),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.logits = memory = block_memory(
            shape=signed(self.width),
            depth=self.classes,
        )
        write, read = memory.write_port(), memory.read_port()
        index = Signal(range(self.classes))
        best = Signal(signed(self.width))
        winner = Signal(range(self.classes))
        place = Signal(range(CLASS_BYTES + CYCLE_BYTES + LOGIT_BYTES))
        first_logit = CLASS_BYTES + CYCLE_BYTES
        last_place = first_logit + LOGIT_BYTES - 1
        take = Signal()
        last = Signal()

        m.d.comb += [take.eq(self.i.valid & self.i.ready), last.eq(index == self.classes - 1)]
        m.d.comb += [write.addr.eq(index), write.data.eq(self.i.payload), write.en.eq(take)]
        m.d.comb += [self.done.eq(take & last), read.addr.eq(index)]
        m.d.comb += self.o.payload.eq(self._byte(m, winner, read.data, place))
        with m.FSM(name="result"):
            with m.State("logits"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(take):
                    m.d.sync += index.eq(Mux(last, 0, index + 1))
                    with m.If((index == 0) | (self.i.payload > best)):
                        m.d.sync += [best.eq(self.i.payload), winner.eq(index)]
                with m.If(self.done):
                    m.next = "send"
            with m.State("send"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += place.eq(place + 1)
                with m.If(self.o.ready & (place == last_place)):
                    m.d.sync += [place.eq(first_logit), index.eq(Mux(last, 0, index + 1))]
                    m.next = "fetch"
                    with m.If(last):
                        m.d.sync += place.eq(0)
                        m.next = "logits"
            with m.State("fetch"):  # the next logit
                m.next = "send"
        return m

    def _byte(self, m: Module, winner: Signal, logit: Value, place: Signal) -> Value:
        """Return the byte of the result at ``place``."""
        wide = [Signal(signed(8 * size)) for size in (CLASS_BYTES, CYCLE_BYTES, LOGIT_BYTES)]
        for word, value in zip(wide, (winner, self.cycles, logit), strict=True):
            m.d.comb += word.eq(value)
        return select([word[n : n + 8] for word in wide for n in range(0, len(word), 8)], place)
