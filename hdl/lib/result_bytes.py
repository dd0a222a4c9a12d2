"""The bytes of a result, in hardware."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import select

__all__ = ["ResultBytes"]

CLASS_BYTES, CYCLE_BYTES, LOGIT_BYTES = 2, 4, 4
FIRST_LOGIT = CLASS_BYTES + CYCLE_BYTES
LAST_PLACE = FIRST_LOGIT + LOGIT_BYTES - 1


class ResultBytes(wiring.Component):
    """Send a result as the payload of a RESULT (docs/link.md).

    The bytes are the class (2), the number of cycles (4), and each logit (4), all little-endian.

    Parameters
    ----------
    classes : int
    width : int
        Signed width of a logit.

    Members
    -------
    valid : In(1)
        There is a result; it stays as it is until ``done``.
    winner : In(range(classes))
    cycles : In(32)
    index : Out(range(classes))
        Which logit is to be at ``logit`` from the next cycle on.
    logit : In(signed(width))
    done : Out(1)
        High with the transfer of the last byte.
    o : Out(stream.Signature(8))
    """

    valid: Signal
    winner: Signal
    cycles: Signal
    index: Signal
    logit: Signal
    done: Signal
    o: stream.Interface

    def __init__(self, *, classes: int, width: int) -> None:
        self.classes = classes
        super().__init__(
            {
                "valid": In(1),
                "winner": In(range(classes)),
                "cycles": In(8 * CYCLE_BYTES),
                "index": Out(range(classes)),
                "logit": In(signed(width)),
                "done": Out(1),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        place = Signal(range(LAST_PLACE + 1))
        fetch, last = Signal(), Signal()

        m.d.comb += self.o.payload.eq(self._byte(m, place))
        m.d.comb += [self.o.valid.eq(self.valid & ~fetch), last.eq(self.index == self.classes - 1)]
        m.d.sync += fetch.eq(0)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += place.eq(place + 1)
            with m.If(place == LAST_PLACE):
                m.d.comb += self.done.eq(last)
                m.d.sync += [place.eq(Mux(last, 0, FIRST_LOGIT)), fetch.eq(1)]
                m.d.sync += self.index.eq(Mux(last, 0, self.index + 1))
        return m

    def _byte(self, m: Module, place: Value) -> Value:
        """Return the byte of the result at ``place``."""
        wide = [Signal(signed(8 * size)) for size in (CLASS_BYTES, CYCLE_BYTES, LOGIT_BYTES)]
        for word, value in zip(wide, (self.winner, self.cycles, self.logit), strict=True):
            m.d.comb += word.eq(value)
        return select([word[n : n + 8] for word in wide for n in range(0, len(word), 8)], place)
