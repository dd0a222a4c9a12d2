"""Layer norm in hardware."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect

from ..model.arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS, RESIDUAL_BITS, signed_width
from ..model.layer_norm import LayerNormConfig
from .inverse_root import InverseRoot
from .requantize import Requantize

__all__ = ["LayerNorm"]

BANKS = 3  # one token arrives, one has its root taken, one leaves


class LayerNorm(wiring.Component):
    """Normalise tokens of D channels, one channel after the other.

    Computes docs/math.md, Eq. 6 to 9, equal in every bit to
    :func:`lutformer.model.layer_norm.layer_norm`. Three tokens are under way at a time: one is
    summed up, one has the inverse root of its variance taken, one leaves.

    From the last channel in to the first out takes :attr:`latency` cycles; the throughput is one
    token each ``max(D + 3, latency)`` cycles.

    Parameters
    ----------
    config : LayerNormConfig
    dsp : bool
        Multiply in DSP blocks, or in logic.
    narrow : bool
        Normalise a channel in two cycles, see :class:`Requantize`.

    Members
    -------
    i : In(stream.Signature(signed(16)))
        D channels a token.
    o : Out(stream.Signature(signed(8)))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self, config: LayerNormConfig, *, dsp: bool = True, narrow: bool = False
    ) -> None:
        self.config, self.dsp = config, dsp
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
            narrow=narrow,
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
        return 6 + self.config.sum_width + self.inverse_root.latency + scale

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = self.config.width
        m.submodules.buffer = buffer = Memory(
            shape=unsigned(RESIDUAL_BITS), depth=BANKS * width, init=[], attrs={"no_rw_check": 1}
        )
        m.submodules.inverse_root = self.inverse_root
        m.submodules.requantize = self.requantize
        self._write, self._read = buffer.write_port(), buffer.read_port()
        sums, sums_done = self._sum_up(m)
        root, root_done = self._take_root(m, sums, sums_done)
        self._normalise(m, root, root_done)
        connect(m, wiring.flipped(self.o), self.requantize.o)
        return m

    def _bank_address(self, m: Module, name: str, step: Signal) -> tuple[Signal, Signal]:
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

    def _sum_up(self, m: Module) -> tuple[tuple[Signal, Signal], stream.Interface]:
        """Store a token and add up its channels and their squares."""
        config = self.config
        x, square = Signal(signed(RESIDUAL_BITS)), Signal(2 * RESIDUAL_BITS - 1)
        s1, s2 = Signal(signed(config.sum_width)), Signal(config.square_width)
        done = stream.Signature(0).create(path=("sums",))
        take, taken, fresh = Signal(), Signal(), Signal(init=1)

        m.d.comb += take.eq(self.i.valid & self.i.ready)
        address, last = self._bank_address(m, "write", take)
        m.d.comb += [self._write.addr.eq(address), self._write.en.eq(take)]
        m.d.comb += self._write.data.eq(self.i.payload)
        # Cycle 0: square. Cycle 1: add.
        m.d.sync += [taken.eq(take), x.eq(self.i.payload)]
        m.d.sync += square.eq((self.i.payload * self.i.payload).as_unsigned())
        with m.If(taken):
            m.d.sync += [s1.eq(Mux(fresh, 0, s1) + x), s2.eq(Mux(fresh, 0, s2) + square)]
            m.d.sync += fresh.eq(0)
        with m.FSM(name="sum_up"):
            with m.State("receive"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(take & last):
                    m.next = "settle"
            with m.State("settle"):
                m.next = "hand_over"
            with m.State("hand_over"):
                m.d.comb += done.valid.eq(1)
                with m.If(done.ready):
                    m.d.sync += fresh.eq(1)
                    m.next = "receive"
        return (s1, s2), done

    def _take_root(
        self, m: Module, sums: tuple[Signal, Signal], taken: stream.Interface
    ) -> tuple[Signal, stream.Interface]:
        """Form U = D*S2 - S1^2, the square bit by bit, and have its inverse root taken."""
        config, engine = self.config, self.inverse_root
        s1 = Signal(signed(config.sum_width))
        magnitude, bits = Signal(config.sum_width), Signal(config.sum_width)
        scaled = Signal(config.square_width + config.width.bit_length())
        square = Signal(2 * config.sum_width)
        left = Signal(range(config.sum_width))
        done = stream.Signature(0).create(path=("root",))

        m.d.comb += engine.i.payload.eq(scaled - square)
        m.d.comb += [done.valid.eq(engine.o.valid), engine.o.ready.eq(done.ready)]
        with m.FSM(name="take_root"):
            with m.State("idle"):
                m.d.comb += taken.ready.eq(1)
                m.d.sync += [s1.eq(sums[0]), scaled.eq(config.width * sums[1]), square.eq(0)]
                distance = Mux(sums[0] < 0, -sums[0], sums[0])
                m.d.sync += [magnitude.eq(distance), bits.eq(distance)]
                m.d.sync += left.eq(config.sum_width - 1)
                with m.If(taken.valid):
                    m.next = "square"
            with m.State("square"):
                m.d.sync += square.eq((square << 1) + Mux(bits[-1], magnitude, 0))
                m.d.sync += [bits.eq(bits << 1), left.eq(left - 1)]
                with m.If(left == 0):
                    m.next = "start"
            with m.State("start"):
                m.d.comb += engine.i.valid.eq(1)
                with m.If(engine.i.ready):
                    m.next = "wait"
            with m.State("wait"), m.If(done.valid & done.ready):
                m.next = "idle"
        return s1, done

    def _normalise(self, m: Module, sum1: Signal, root: stream.Interface) -> None:
        """Read the token back and scale each channel's distance from the mean."""
        config, scale = self.config, self.requantize
        s1 = Signal.like(sum1, name="normalise_s1")
        r, shift = Signal(RECIPROCAL_BITS), Signal(range(config.shift + 1))
        step, busy, read_valid = Signal(), Signal(), Signal()

        m.d.comb += step.eq(scale.i.ready | ~scale.i.valid)
        m.d.comb += root.ready.eq(~busy & ~read_valid & step)
        address, last = self._bank_address(m, "read", step & busy)
        m.d.comb += [self._read.addr.eq(address), self._read.en.eq(step)]
        with m.If(root.valid & root.ready):
            m.d.sync += [busy.eq(1), s1.eq(sum1), r.eq(self.inverse_root.o.p.r)]
            m.d.sync += shift.eq(config.shift - self.inverse_root.o.p.e)
        with m.Elif(step & last):
            m.d.sync += busy.eq(0)
        with m.If(step):
            # Cycle 0: read. Cycle 1: centre.
            m.d.sync += read_valid.eq(busy)
            m.d.sync += scale.i.valid.eq(read_valid)
            centred = config.width * self._read.data.as_signed() - s1
            m.d.sync += [scale.i.p.acc.eq(centred), scale.i.p.multiplier.eq(r)]
            m.d.sync += scale.i.p.shift.eq(shift)
