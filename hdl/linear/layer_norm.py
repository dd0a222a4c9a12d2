"""Layer norm in hardware."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ...model.arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS, RESIDUAL_BITS, signed_width
from ...model.layer_norm import LayerNormConfig
from ..lib.inverse_root import InverseRoot
from ..lib.memory import block_memory
from ..lib.requantize import Requantize

__all__ = ["LayerNorm"]

BANKS = 3  # one token arrives, one has its root taken, one leaves


class LayerNorm(wiring.Component):
    """Normalise tokens of D channels, one channel after the other.

    Computes docs/math.md, Eq. 6 to 9, equal in every bit to
    :func:`lutformer.model.layer_norm.layer_norm`. Three tokens are under way at a time: one is
    summed up, one has the inverse root of its variance taken, one leaves. ``i.ready`` stays high
    from a token's first channel to its last.

    From the last channel in to the first out takes :attr:`latency` cycles. A token takes as long as
    the slowest of its three stages: ``D + sum_width + 3``, the inverse root's latency + 1, and
    ``D * requantize.interval + 2`` cycles.

    Parameters
    ----------
    config : LayerNormConfig
    dsp : bool
        Multiply in DSP blocks, or in logic.
    two_cycle_multiply, registers : bool
        See :class:`Requantize`.
    square : bool
        Square the sum of a token's channels at once, in DSP blocks, instead of bit by bit.

    Members
    -------
    i : In(stream.Signature(signed(16)))
        D channels a token.
    o : Out(stream.Signature(signed(8)))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        config: LayerNormConfig,
        *,
        dsp: bool = True,
        two_cycle_multiply: bool = False,
        registers: bool = True,
        square: bool = False,
    ) -> None:
        self.config, self.registers, self.square = config, registers, square
        self.inverse_root = InverseRoot(config.variance_width)
        # |D*x - S1| / sqrt(U) is at most sqrt(D - 1); the reciprocal is off by less than 1/1024.
        top = int(((config.width - 1) ** 0.5) * (1 << config.fraction) * 1.002) + 2
        self.requantize = Requantize(
            acc_width=config.centred_width,
            multiplier_width=RECIPROCAL_BITS,
            shift=config.shift,
            bits=ACTIVATION_BITS,
            variable=True,
            reach=signed_width(-top, top),
            dsp=dsp,
            two_cycle_multiply=two_cycle_multiply,
            registers=registers,
        )
        super().__init__(
            {
                "i": In(stream.Signature(signed(RESIDUAL_BITS))),
                "o": Out(stream.Signature(signed(ACTIVATION_BITS))),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a token's last channel in to its first channel out."""
        scale = self.requantize.interval - 1 + self.requantize.latency
        square = 1 if self.square else self.config.sum_width
        return 6 + self.registers + square + self.inverse_root.latency + scale

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer = buffer = block_memory(
            shape=unsigned(RESIDUAL_BITS),
            depth=BANKS * self.config.width,
        )
        m.submodules.inverse_root = self.inverse_root
        m.submodules.requantize = self.requantize
        self._write, self._read = buffer.write_port(), buffer.read_port()
        s1 = self._sum_up(m)
        self._normalise(m, s1)
        connect(m, wiring.flipped(self.o), self.requantize.o)
        return m

    def _bank_address(self, m: Module, name: str, step: Value) -> tuple[Signal, Signal]:
        """Return an address that ``step`` moves through the banks, and whether it ends a token."""
        channel = Signal(range(self.config.width + 1), name=f"{name}_channel")
        address = Signal(range(BANKS * self.config.width), name=f"{name}_address")
        last = Signal(name=f"{name}_last")
        m.d.comb += last.eq(channel == self.config.width - 1)
        with m.If(step):
            m.d.sync += channel.eq(Mux(last, 0, channel + 1))
            end = BANKS * self.config.width - 1
            m.d.sync += address.eq(Mux(address == end, 0, address + 1))
        return address, last

    def _sum_up(self, m: Module) -> Signal:
        """Store a token, add up its channels and their squares, form U; return S1 for the root."""
        config, engine = self.config, self.inverse_root
        x = Signal(signed(RESIDUAL_BITS))
        square = Signal(2 * RESIDUAL_BITS - 1)
        s1 = Signal(signed(config.sum_width))
        s2 = Signal(config.square_width)
        rooted_s1 = Signal.like(s1)  # of the token whose root is taken
        take = Signal()
        taken = Signal()

        m.d.comb += take.eq(self.i.valid & self.i.ready)
        address, last = self._bank_address(m, "write", take)
        m.d.comb += [self._write.addr.eq(address), self._write.en.eq(take)]
        m.d.comb += self._write.data.eq(self.i.payload)
        # Cycle 0: square. Cycle 1, or the same one: add.
        operands = (take, self.i.payload, (self.i.payload * self.i.payload).as_unsigned())
        if self.registers:
            m.d.sync += [r.eq(v) for r, v in zip((taken, x, square), operands, strict=True)]
        else:
            m.d.comb += [r.eq(v) for r, v in zip((taken, x, square), operands, strict=True)]
        with m.If(taken):
            m.d.sync += [s1.eq(s1 + x), s2.eq(s2 + square)]
        start_square, product, squared = self._square(m, s1)
        m.d.comb += engine.i.payload.eq(config.width * s2 - product)
        with m.FSM(name="sum_up"):
            with m.State("receive"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(take & last):
                    m.next = "settle" if self.registers else "prepare"
            with m.State("settle"):
                m.next = "prepare"
            with m.State("prepare"):
                m.d.comb += start_square.eq(1)
                m.next = "square"
            with m.State("square"), m.If(squared):
                m.next = "hand_over"
            with m.State("hand_over"):
                m.d.comb += engine.i.valid.eq(1)
                with m.If(engine.i.ready):
                    m.d.sync += [rooted_s1.eq(s1), s1.eq(0), s2.eq(0)]
                    m.next = "receive"
        return rooted_s1

    def _square(self, m: Module, s1: Signal) -> tuple[Signal, Value, Value]:
        """Square S1: at once, or bit by bit from the lowest, its sign bit weighing negative."""
        width = len(s1)
        start = Signal(name="start_square")
        if self.square:
            product = Signal(2 * width)
            m.d.sync += product.eq(s1 * s1)
            return start, product, Const(1)
        high = Signal(signed(width + 1))
        low = Signal(width)  # bits of S1 on the way out, bits of the product on the way in
        left = Signal(range(width))
        sum_ = Signal(signed(width + 1))
        busy = Signal(name="squaring")
        last = Signal()
        negated = Signal.like(s1)
        m.d.comb += last.eq(left == 0)
        # The subtraction adds the complement; its carry is the last bit.
        m.d.comb += negated.eq(Mux(low[0], Mux(last, ~s1, s1), 0))
        m.d.comb += sum_.eq(high + negated + (last & low[0]))
        with m.If(start):
            m.d.sync += [high.eq(0), low.eq(s1), left.eq(width - 1), busy.eq(1)]
        with m.Elif(busy):
            m.d.sync += [high.eq(sum_ >> 1), low.eq(Cat(low[1:], sum_[0]))]
            m.d.sync += [left.eq(left - 1), busy.eq(~last)]
        return start, Cat(low, high), ~busy

    def _normalise(self, m: Module, rooted_s1: Signal) -> None:
        """Read the token back and scale each channel's distance from the mean."""
        config, scale, root = self.config, self.requantize, self.inverse_root.o
        s1 = Signal.like(rooted_s1, name="normalise_s1")
        step = Signal()
        busy = Signal()
        read_valid = Signal()

        m.d.comb += step.eq(scale.i.ready | ~scale.i.valid)
        m.d.comb += root.ready.eq(~busy & ~read_valid & ~scale.i.valid)
        address, last = self._bank_address(m, "read", step & busy)
        m.d.comb += [self._read.addr.eq(address), self._read.en.eq(step)]
        with m.If(root.valid & root.ready):
            m.d.sync += [busy.eq(1), s1.eq(rooted_s1), scale.i.p.multiplier.eq(root.p.r)]
            m.d.sync += scale.i.p.shift.eq(config.shift - root.p.e)
        with m.Elif(step & last):
            m.d.sync += busy.eq(0)
        with m.If(step):
            # Cycle 0: read. Cycle 1: centre.
            m.d.sync += [read_valid.eq(busy), scale.i.valid.eq(read_valid)]
            centred = config.width * self._read.data.as_signed() - s1
            m.d.sync += scale.i.p.acc.eq(centred)
