"""The class of the largest logit, and the bytes of a result, in hardware."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

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
        What to report; read with the last logit.
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
        m.submodules.logits = memory = Memory(
            shape=signed(self.width),
            depth=max(2, self.classes),
            init=[],
            attrs={"no_rw_check": 1, "ram_style": "block"},
        )
        write, read = memory.write_port(), memory.read_port()
        index = Signal(range(self.classes))
        best = Signal(signed(self.width))
        winner = Signal(8 * CLASS_BYTES)
        cycles = Signal(8 * CYCLE_BYTES)
        word = Signal(8 * LOGIT_BYTES)
        left = Signal(range(LOGIT_BYTES))
        take = Signal()
        last = Signal()

        m.d.comb += [take.eq(self.i.valid & self.i.ready), last.eq(index == self.classes - 1)]
        m.d.comb += [write.addr.eq(index), write.data.eq(self.i.payload), write.en.eq(take)]
        m.d.comb += [self.done.eq(take & last), read.addr.eq(index)]
        m.d.comb += self.o.payload.eq(word[:8])
        with m.If(take & ((index == 0) | (self.i.payload > best))):
            m.d.sync += [best.eq(self.i.payload), winner.eq(index)]
        with m.FSM(name="result"):
            with m.State("logits"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(take):
                    m.d.sync += index.eq(Mux(last, 0, index + 1))
                with m.If(self.done):
                    m.d.sync += cycles.eq(self.cycles)
                    m.next = "class"
            with m.State("class"):
                m.d.sync += [word.eq(winner), left.eq(CLASS_BYTES - 1)]
                m.next = "send class"
            for this, bytes_, following in (
                ("send class", cycles, "send cycles"),
                ("send cycles", read.data, "send logit"),
            ):
                with m.State(this):
                    m.d.comb += self.o.valid.eq(1)
                    with m.If(self.o.ready):
                        m.d.sync += [word.eq(word >> 8), left.eq(left - 1)]
                    with m.If(self.o.ready & (left == 0)):
                        m.d.sync += [word.eq(bytes_), left.eq(LOGIT_BYTES - 1)]
                        m.next = following
            with m.State("send logit"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += [word.eq(word >> 8), left.eq(left - 1)]
                with m.If(self.o.ready & (left == 2)):  # the next one is read meanwhile
                    m.d.sync += index.eq(Mux(last, 0, index + 1))
                with m.If(self.o.ready & (left == 0)):
                    m.d.sync += word.eq(read.data)
                    with m.If(index == 0):
                        m.next = "logits"
        return m
