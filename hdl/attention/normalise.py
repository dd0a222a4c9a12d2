"""Normalisation of weighted sums by the sum of their weights, in hardware."""

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out, connect

from ...model.arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS
from ..lib.reciprocal import Reciprocal
from ..lib.requantize import Requantize
from .linear_config import LinearAttentionConfig

__all__ = ["Normalise"]


class Normalise(wiring.Component):
    """Divide the sums of a head's columns by its denominator, one column at a time.

    Computes docs/math.md, Eq. 34. Sums wait in a queue while the reciprocal of their denominator is
    taken; of these, ``config.reciprocals`` are under way at a time, in turn.

    From a leading group to its first output takes :attr:`latency` cycles. Groups are taken as fast
    as the sweeps bring them, unless their columns leave more slowly: a column takes
    ``config.scale_interval`` cycles.

    Parameters
    ----------
    config : LinearAttentionConfig

    Members
    -------
    i : In(stream.Signature(config.sums_layout))
        Groups of columns; each head begins with a leading one.
    o : Out(stream.Signature(signed(8)))
        Of each head: the columns.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, config: LinearAttentionConfig) -> None:
        self.config = config
        self.reciprocals = [Reciprocal(config.sum_width) for _ in range(config.reciprocals)]
        self.shift = config.sum_width - 1 + RECIPROCAL_BITS
        self.requantize = Requantize(
            acc_width=config.acc_width,
            multiplier_width=RECIPROCAL_BITS,
            shift=self.shift,
            bits=ACTIVATION_BITS,
            variable=True,
            reach=config.quotient_reach,
            dsp=config.dsp_divide,
            two_cycle_multiply=config.two_cycle_multiply,
            registers=config.registers,
        )
        super().__init__(
            {
                "i": In(stream.Signature(config.sums_layout)),
                "o": Out(stream.Signature(signed(ACTIVATION_BITS))),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a leading group to its first output."""
        scale = self.requantize.interval - 1 + self.requantize.latency
        return self.reciprocals[0].latency + 1 + self.config.registers + scale

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.requantize = self.requantize
        m.submodules.queue = queue = SyncFIFOBuffered(
            width=self.config.acc_width, depth=self.config.queue
        )
        for n, unit in enumerate(self.reciprocals):
            m.submodules[f"reciprocal{n}"] = unit
        taken = Signal()
        free, follows = self._queue_up(m, queue)
        idle = self._invert(m, taken & self.i.p.leading)
        m.d.comb += taken.eq(self.i.valid & self.i.ready)
        if self.config.registers:  # What is free stays so until a group is taken.
            m.d.sync += self.i.ready.eq(free & (idle | follows) & ~taken)
        else:
            m.d.comb += self.i.ready.eq(free & (idle | ~self.i.p.leading))
        self._scale(m, queue)
        connect(m, wiring.flipped(self.o), self.requantize.o)
        return m

    def _queue_up(self, m: Module, queue: SyncFIFOBuffered) -> tuple[Signal, Value]:
        """Put a group's columns into the queue; return if the next may come, and is the head's."""
        config = self.config
        held = [
            Signal(signed(config.acc_width), name=f"held{n}", reset_less=True)
            for n in range(config.columns)
        ]
        left = Signal(range(config.columns + 1))
        coming = Signal(range(config.head_width + 1), init=config.head_width)  # of this head
        count = Signal(range(config.columns + 1))
        free = Signal()

        more = config.groups > 1 and coming > config.columns
        m.d.comb += count.eq(Mux(more, config.columns, coming))
        m.d.comb += [queue.w_data.eq(held[0]), queue.w_en.eq(left != 0)]
        m.d.comb += free.eq((left == 0) | (left == 1) & queue.w_rdy)
        with m.If(queue.w_en & queue.w_rdy):
            m.d.sync += left.eq(left - 1)
            for here, following in pairwise(held):
                m.d.sync += here.eq(following)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [left.eq(count)]
            m.d.sync += coming.eq(Mux(coming == count, config.head_width, coming - count))
            m.d.sync += [here.eq(self.i.p.columns[n]) for n, here in enumerate(held)]
        return free, coming != config.head_width

    def _invert(self, m: Module, valid: Value) -> Signal:
        """Hand denominators to the reciprocals in turn; return whether the next one is idle."""
        turn = Signal(range(len(self.reciprocals)))
        idle = Signal()
        for n, unit in enumerate(self.reciprocals):
            m.d.comb += unit.i.payload.eq(self.i.p.ones)
            with m.If(turn == n):
                m.d.comb += [unit.i.valid.eq(valid), idle.eq(unit.i.ready)]
                with m.If(valid & unit.i.ready):
                    m.d.sync += turn.eq((n + 1) % len(self.reciprocals))
        return idle

    def _fetched(self, m: Module) -> stream.Interface:
        """Return where sums are scaled: a cycle later, if the queue's memory is far and slow."""
        scale = self.requantize.i
        if not self.config.registers:
            return scale
        fetched = stream.Signature(self.requantize.layout).create(path=("fetched",))
        m.d.comb += fetched.ready.eq(~scale.valid | scale.ready)
        with m.If(fetched.ready):
            m.d.sync += [scale.valid.eq(fetched.valid), scale.payload.eq(fetched.payload)]
        return fetched

    def _scale(self, m: Module, queue: SyncFIFOBuffered) -> None:
        """Scale the columns of a head by the reciprocal whose turn it is."""
        config, scale = self.config, self._fetched(m)
        turn = Signal(range(len(self.reciprocals)))
        left = Signal(range(config.head_width + 1))  # columns of the reciprocal at hand
        taken = Signal()
        free = Signal()

        m.d.comb += [scale.valid.eq(queue.r_rdy & (left != 0)), scale.p.acc.eq(queue.r_data)]
        m.d.comb += taken.eq(scale.valid & scale.ready)
        m.d.comb += [queue.r_en.eq(taken), free.eq((left == 0) | (left == 1) & taken)]
        with m.If(taken):
            m.d.sync += left.eq(left - 1)
        for n, unit in enumerate(self.reciprocals):
            with m.If(turn == n):
                m.d.comb += unit.o.ready.eq(free)
                with m.If(unit.o.valid & free):
                    m.d.sync += turn.eq((n + 1) % len(self.reciprocals))
                    m.d.sync += [left.eq(config.head_width), scale.p.multiplier.eq(unit.o.p.r)]
                    m.d.sync += scale.p.shift.eq(self.shift - unit.o.p.z)
