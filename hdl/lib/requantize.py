"""Requantisation in hardware: multiply, round half up, saturate."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import clamp, multiply, shift_right

__all__ = ["Requantize"]

DSP_BITS = 16


class Requantize(wiring.Component):
    """Scale accumulators to ``bits`` bits.

    Computes ``clamp((acc * multiplier + 2**(shift - 1)) >> shift)`` (docs/math.md, Eq. 2), equal
    in every bit to :func:`lutformer.model.arithmetic.requantize`.

    Latency is :attr:`latency` cycles, throughput one value in :attr:`interval` cycles.

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
    two_cycle_multiply : bool
        Multiply accumulators of more than 16 bits in two cycles, half of one each, so that one DSP
        block of 16 bits is enough.
    registers : bool
        Register the product before it is shifted: faster, for fabrics with flip-flops to spare.

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
        two_cycle_multiply: bool = False,
        registers: bool = True,
    ) -> None:
        self.product_width = acc_width + multiplier_width
        self.interval = 2 if two_cycle_multiply and dsp and acc_width > DSP_BITS else 1
        self.half = acc_width // 2
        self.registers = registers
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
        return 2 + self.registers

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step = Signal()
        valid = Signal(self.latency - 1)
        shifted = Signal(signed(self.reach + 1))  # one bit below the point is kept for rounding
        rounded = Signal(signed(self.reach + 1))

        m.d.comb += rounded.eq((shifted + 1) >> 1)
        m.d.comb += step.eq(self.o.ready | ~self.o.valid)
        # Cycle 0: multiply, into a register if there is one.
        multiply_ = self._multiply_halves if self.interval == 2 else self._multiply
        product = multiply_(m, step)
        shift = self._shift(m, product, step)
        with m.If(step):
            taken = self.i.valid & self.i.ready
            m.d.sync += [valid.eq(valid << 1 | taken), self.o.valid.eq(valid[-1])]
            # Last cycle but one: shift.
            m.d.sync += shifted.eq(shift)
            # Last cycle: round and saturate.
            m.d.sync += self.o.payload.eq(clamp(rounded, self.bits))
        return m

    def _multiply(self, m: Module, step: Signal) -> Signal:
        product = Signal(signed(self.product_width))
        m.d.comb += self.i.ready.eq(step)
        result = multiply(self.i.p.acc, self.i.p.multiplier, dsp=self.dsp)
        if self.registers:
            with m.If(step):
                m.d.sync += product.eq(result)
        else:
            m.d.comb += product.eq(result)
        return product

    def _multiply_halves(self, m: Module, step: Signal) -> Signal:
        """Multiply the lower half, then the upper one, which carries the sign."""
        acc, half = self.i.p.acc, self.half
        upper = Signal()
        factor = Signal(signed(max(half + 1, len(acc) - half)))
        partial = Signal(signed(len(factor) + len(self.i.p.multiplier)))
        low = Signal.like(partial)
        product = Signal(signed(self.product_width))
        m.d.comb += factor.eq(Mux(upper, acc[half:].as_signed(), acc[:half]))
        m.d.comb += self.i.ready.eq(step & upper)
        m.d.comb += product.eq((partial << half) + low)
        if not self.registers:
            m.d.comb += partial.eq(factor * self.i.p.multiplier)
        with m.If(step & self.i.valid):
            m.d.sync += [upper.eq(~upper), low.eq(partial)]
            if self.registers:
                m.d.sync += partial.eq(factor * self.i.p.multiplier)
        return product

    def _shift(self, m: Module, product: Signal, step: Signal) -> Value:
        if not self.variable:
            return product >> self.shift - 1
        amount = Signal(len(self.i.p.shift))
        if self.registers:
            with m.If(step & self.i.ready):
                m.d.sync += amount.eq(self.i.p.shift - 1)
        else:
            m.d.comb += amount.eq(self.i.p.shift - 1)
        return shift_right(m, product, amount, self.reach + 1)
