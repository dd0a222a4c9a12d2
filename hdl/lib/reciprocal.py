"""Normalised integer reciprocal in hardware, one bit a cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import RECIPROCAL_BITS
from .division import division_step

__all__ = ["Reciprocal"]


class Reciprocal(wiring.Component):
    """Reciprocal of a positive integer.

    Computes ``(r, z)`` of docs/math.md, Eq. 3, equal in every bit to
    :func:`lutformer.model.arithmetic.reciprocal`. An input of 0 gives an undefined result, in
    the same time.

    Latency is :attr:`latency` cycles; the next input is taken once the output has been.

    Parameters
    ----------
    width : int
        Unsigned width of the input.
    normalised : bool
        Promise that the input's top bit is set, which spares the search for it.

    Members
    -------
    i : In(stream.Signature(width))
    o : Out(stream.Signature(StructLayout(r, z)))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, width: int, *, normalised: bool = False) -> None:
        self.width, self.normalised = width, normalised
        self.layout = data.StructLayout(
            {"r": RECIPROCAL_BITS, "z": max(1, (width - 1).bit_length())}
        )
        super().__init__(
            {"i": In(stream.Signature(width)), "o": Out(stream.Signature(self.layout))}
        )

    @property
    def latency(self) -> int:
        """Cycles from input to output."""
        return self.cycles(self.width, normalised=self.normalised)

    @staticmethod
    def cycles(width: int, *, normalised: bool = False) -> int:
        """Cycles from an input of ``width`` bits to its output."""
        return 1 + RECIPROCAL_BITS + (0 if normalised else width - 1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        divisor = Signal(self.width)
        rest = Signal(self.width)
        left = Signal(range(max(self.width, RECIPROCAL_BITS)))
        bit, next_rest = division_step(m, divisor, rest)

        with m.FSM():
            with m.State("idle"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [divisor.eq(self.i.payload), self.o.p.z.eq(0)]
                m.d.sync += rest.eq((1 << self.width - 1) - 1)
                skip = self.normalised or self.width == 1
                m.d.sync += left.eq(RECIPROCAL_BITS - 1 if skip else self.width - 2)
                with m.If(self.i.valid):
                    m.next = "divide" if skip else "normalise"
            with m.State("normalise"):
                with m.If(~divisor[-1]):
                    m.d.sync += [divisor.eq(divisor << 1), self.o.p.z.eq(self.o.p.z + 1)]
                m.d.sync += left.eq(Mux(left == 0, RECIPROCAL_BITS - 1, left - 1))
                with m.If(left == 0):
                    m.next = "divide"
            with m.State("divide"):
                m.d.sync += rest.eq(next_rest)
                m.d.sync += self.o.p.r.eq(Cat(bit, self.o.p.r))
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.next = "done"
            with m.State("done"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "idle"
        return m
