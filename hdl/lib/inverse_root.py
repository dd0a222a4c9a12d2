"""Normalised inverse square root in hardware, one bit a cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import RECIPROCAL_BITS
from ...model.layer_norm import ROOT_BITS
from .reciprocal import Reciprocal

__all__ = ["InverseRoot"]


class InverseRoot(wiring.Component):
    """Inverse square root of an integer of an even width W.

    Computes ``(r, e)`` of docs/math.md, Eq. 7 and 8. Leading pairs of zero bits are counted
    instead of taking part in the root. An input of 0 gives an undefined result, in the same time.

    Latency is :attr:`latency` cycles; the next input is taken once the output has been.

    Parameters
    ----------
    width : int
        W, unsigned width of the input, even.

    Members
    -------
    i : In(stream.Signature(width))
    o : Out(stream.Signature(StructLayout(r, e)))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, width: int) -> None:
        self.width = width
        self.reciprocal = Reciprocal(ROOT_BITS, normalised=True)
        self.layout = data.StructLayout({"r": RECIPROCAL_BITS, "e": (width // 2 - 1).bit_length()})
        super().__init__(
            {"i": In(stream.Signature(width)), "o": Out(stream.Signature(self.layout))}
        )

    @property
    def latency(self) -> int:
        """Cycles from input to output."""
        return self.cycles(self.width)

    @staticmethod
    def cycles(width: int) -> int:
        """Cycles from an input of ``width`` bits to its output."""
        return width // 2 - 1 + ROOT_BITS + 1 + Reciprocal.cycles(ROOT_BITS, normalised=True)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reciprocal = reciprocal = self.reciprocal
        pairs = self.width // 2 - 1 + ROOT_BITS
        v = Signal(self.width)
        root = Signal(ROOT_BITS)
        rest = Signal(ROOT_BITS + 2)
        left = Signal(range(pairs))
        trial, grown = Signal(ROOT_BITS + 4), Signal(ROOT_BITS + 2)

        # Digit by digit: bring down two bits, and see whether 4*root + 1 fits into the rest.
        m.d.comb += [trial.eq(Cat(v[-2:], rest)), grown.eq(Cat(1, 0, root))]
        fits = trial >= grown
        m.d.comb += self.o.p.r.eq(reciprocal.o.p.r)
        m.d.comb += [self.o.valid.eq(reciprocal.o.valid), reciprocal.o.ready.eq(self.o.ready)]
        m.d.comb += reciprocal.i.payload.eq(root)
        with m.FSM():
            with m.State("idle"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [v.eq(self.i.payload), root.eq(0), rest.eq(0), left.eq(pairs - 1)]
                with m.If(self.i.valid):
                    m.d.sync += self.o.p.e.eq(0)
                    m.next = "root"
            with m.State("root"):
                with m.If((root == 0) & (v[-2:] == 0)):
                    m.d.sync += [v.eq(v << 2), self.o.p.e.eq(self.o.p.e + 1)]
                with m.Elif(~root[-1]):
                    m.d.sync += v.eq(v << 2)
                    m.d.sync += rest.eq(Mux(fits, trial - grown, trial))
                    m.d.sync += root.eq(Cat(fits, root))
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.next = "divide"
            with m.State("divide"):
                m.d.comb += reciprocal.i.valid.eq(1)
                m.next = "wait"
            with m.State("wait"), m.If(reciprocal.o.valid & self.o.ready):
                m.next = "idle"
        return m
