"""Requantisation in hardware: multiply, round half up, saturate."""

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import clamp, multiply, shift_right

__all__ = ["Requantize"]


class Requantize(wiring.Component):
    """Scale accumulators to ``bits`` bits.

    Computes ``clamp((acc * multiplier + 2**(shift - 1)) >> shift)`` (docs/math.md, Eq. 2), equal
    in every bit to :func:`lutformer.model.arithmetic.requantize`.

    Latency is :attr:`latency` cycles, throughput one value a cycle.

    Parameters
    ----------
    acc_width : int
        Signed width of the accumulator.
    multiplier_width : int
        Unsigned width of the multiplier.
    shift : int
        The shift, or the largest one where ``variable``.
    bits : int
        Signed width of the output.
    variable : bool
        Whether each value brings its own shift, between 1 and ``shift``.
    reach : int or None
        Signed width that the rounded value is known not to exceed; the product's if None.
    dsp : bool
        Multiply in DSP blocks, or in logic.

    Members
    -------
    i : In(stream.Signature(StructLayout(acc, multiplier[, shift])))
    o : Out(stream.Signature(signed(bits)))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        acc_width: int,
        multiplier_width: int,
        shift: int,
        bits: int,
        variable: bool = False,
        reach: int | None = None,
        dsp: bool = True,
    ) -> None:
        self.product_width = acc_width + multiplier_width
        self.shift, self.bits, self.variable, self.dsp = shift, bits, variable, dsp
        self.reach = min(reach or self.product_width, self.product_width)
        fields = {"acc": signed(acc_width), "multiplier": multiplier_width}
        if variable:
            fields["shift"] = shift.bit_length()
        self.layout = data.StructLayout(fields)
        super().__init__(
            {"i": In(stream.Signature(self.layout)), "o": Out(stream.Signature(signed(bits)))}
        )

    @property
    def latency(self) -> int:
        """Cycles from input to output."""
        return 3

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step = Signal()
        valid = Signal(self.latency - 1)
        product = Signal(signed(self.product_width))
        shifted = Signal(signed(self.reach + 1))  # one bit below the point is kept for rounding
        rounded = Signal(signed(self.reach + 1))

        m.d.comb += rounded.eq((shifted + 1) >> 1)
        m.d.comb += step.eq(self.o.ready | ~self.o.valid)
        m.d.comb += self.i.ready.eq(step)
        shift = self._shift(m, product, step)
        with m.If(step):
            m.d.sync += [valid.eq(valid << 1 | self.i.valid), self.o.valid.eq(valid[-1])]
            # Cycle 0: multiply.
            acc, multiplier = self.i.p.acc, self.i.p.multiplier
            m.d.sync += product.eq(multiply(acc, multiplier, dsp=self.dsp))
            # Cycle 1: shift.
            m.d.sync += shifted.eq(shift)
            # Cycle 2: round and saturate.
            m.d.sync += self.o.payload.eq(clamp(rounded, self.bits))
        return m

    def _shift(self, m: Module, product: Signal, step: Signal) -> Value:
        if not self.variable:
            return product >> self.shift - 1
        amount = Signal(len(self.i.p.shift))
        with m.If(step):
            m.d.sync += amount.eq(self.i.p.shift - 1)
        return shift_right(m, product, amount, self.reach + 1)
