"""Weighted sums of values, normalised by the sum of the weights, in hardware."""

from itertools import pairwise

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ..model.arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS
from .arithmetic import multiply
from .hamming_config import HammingAttentionConfig
from .memory import block_memory
from .reciprocal import Reciprocal
from .requantize import Requantize

__all__ = ["WeightedSum"]


class WeightedSum(wiring.Component):
    """Sum the values of all keys by their weights, for each query and head.

    Computes docs/math.md, Eq. 13 and 14. The values of all tokens are stored first. The weights of
    a query and head gather in one bank of a buffer; from the other, ``columns`` values a cycle are
    weighted, one key after the other, for each group of columns. Meanwhile the reciprocal of the
    sum of the weights is taken.

    A query and head take ``max(groups * n, n + 2, reciprocal.latency + 2)`` cycles.

    Parameters
    ----------
    config : HammingAttentionConfig

    Members
    -------
    values : In(stream.Signature(signed(8)))
        Of each token: the columns of each head.
    stored : Out(1)
        The values of all tokens have come.
    release : In(1)
        Forget that they have: the next values overwrite them.
    i : In(stream.Signature(config.weight_width))
        Of each query, of each head: the weight of each key.
    o : Out(stream.Signature(signed(8)))
        Of each query: the mixed columns of each head.
    """

    values: stream.Interface
    stored: Signal
    release: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, config: HammingAttentionConfig) -> None:
        self.config = config
        self.reciprocal = Reciprocal(config.sum_width)
        self.acc_width = config.sum_width + ACTIVATION_BITS
        self.requantize = Requantize(
            acc_width=self.acc_width,
            multiplier_width=RECIPROCAL_BITS,
            shift=config.sum_width + RECIPROCAL_BITS - 1,
            bits=ACTIVATION_BITS,
            variable=True,
            reach=ACTIVATION_BITS + 1,  # |A| <= 128 * S, and the reciprocal is not above 1/S
            dsp=config.dsp_divide,
            narrow=config.narrow,
            registers=config.registers,
        )
        super().__init__(
            {
                "values": In(stream.Signature(signed(ACTIVATION_BITS))),
                "stored": Out(1),
                "release": In(1),
                "i": In(stream.Signature(config.weight_width)),
                "o": Out(stream.Signature(signed(ACTIVATION_BITS))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reciprocal = self.reciprocal
        m.submodules.requantize = self.requantize
        self._store(m)
        full = self._gather(m)
        sums, done, step = self._weight(m, full)
        self._normalise(m, sums, done, step)
        connect(m, wiring.flipped(self.o), self.requantize.o)
        return m

    def _store(self, m: Module) -> None:
        """Keep the values as they come: word ``(h * groups + g) * n + t``."""
        config = self.config
        m.submodules.values = memory = block_memory(
            shape=unsigned(ACTIVATION_BITS * config.columns),
            depth=config.heads * config.groups * config.tokens,
        )
        self._value_read, write = memory.read_port(), memory.write_port()
        kept = [Signal(ACTIVATION_BITS, name=f"value{n}") for n in range(config.columns - 1)]
        lane = Signal(range(config.columns))
        column = Signal(range(config.head_width))
        head = Signal(range(config.heads))
        token = Signal(range(config.tokens))
        following = Signal.like(token)
        end = Signal()
        x = self.values.payload.as_unsigned()

        m.d.comb += self.values.ready.eq(1)
        m.d.comb += end.eq(column == config.head_width - 1)
        m.d.comb += following.eq(Mux(token == config.tokens - 1, 0, token + 1))
        m.d.comb += write.data.eq(Cat(*[Mux(lane == n, x, v) for n, v in enumerate(kept)], x))
        with m.If(self.release):
            m.d.sync += self.stored.eq(0)
        with m.If(self.values.valid):
            m.d.sync += [column.eq(Mux(end, 0, column + 1)), lane.eq(lane + 1)]
            for n, value in enumerate(kept):
                with m.If(lane == n):
                    m.d.sync += value.eq(x)
            with m.If(end | (lane == config.columns - 1)):
                m.d.comb += write.en.eq(1)
                m.d.sync += [lane.eq(0), write.addr.eq(write.addr + config.tokens)]
            with m.If(end):
                m.d.sync += head.eq(head + 1)
            with m.If(end & (head == config.heads - 1)):
                m.d.sync += [head.eq(0), token.eq(following), write.addr.eq(following)]
                m.d.sync += self.stored.eq(token == config.tokens - 1)

    def _gather(self, m: Module) -> Signal:
        """Collect the weights of a query and head, and their sum; return which banks are full."""
        config, tokens = self.config, self.config.tokens
        key_bits = (tokens - 1).bit_length()
        m.submodules.weights = memory = block_memory(
            shape=unsigned(config.weight_width),
            depth=2 << key_bits,
        )
        self._weight_read, write = memory.read_port(), memory.write_port()
        bank = Signal()
        full = Signal(2)
        key = Signal(range(tokens))
        total = Signal(config.sum_width)
        pending = Signal()  # the sum waits for the reciprocal
        reciprocal = self.reciprocal.i

        m.d.comb += self.i.ready.eq(~full.bit_select(bank, 1) & ~pending)
        m.d.comb += [write.addr.eq(Cat(key[:key_bits], bank)), write.data.eq(self.i.payload)]
        m.d.comb += [reciprocal.valid.eq(pending), reciprocal.payload.eq(total)]
        with m.If(pending & reciprocal.ready):
            m.d.sync += pending.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.comb += write.en.eq(1)
            m.d.sync += [key.eq(key + 1), total.eq(Mux(key == 0, 0, total) + self.i.payload)]
            with m.If(key == tokens - 1):
                m.d.sync += [key.eq(0), bank.eq(~bank), pending.eq(1)]
                m.d.sync += full.bit_select(bank, 1).eq(1)
        return full

    def _weight(self, m: Module, full: Signal) -> tuple[list[Signal], Signal, Signal]:
        """Sweep over keys for each group of columns; return sums, their completion, the step."""
        config, tokens = self.config, self.config.tokens
        bank = Signal()
        key = Signal(range(tokens))
        group = Signal(range(config.groups))
        head = Signal(range(config.heads))
        value_at = Signal(range(config.heads * config.groups * tokens + 1))
        issue = Signal()
        step = Signal()
        stages = [Signal(3, name=f"stage{n}") for n in (1, 2)]  # valid, first, last
        columns = range(config.columns)
        width = config.weight_width + ACTIVATION_BITS
        sums = [Signal(signed(self.acc_width), name=f"sum{n}") for n in columns]
        last_key = key == tokens - 1

        # Cycle 0: read a weight and the values.
        m.d.comb += issue.eq(full.bit_select(bank, 1))
        m.d.comb += self._weight_read.addr.eq(Cat(key[: (tokens - 1).bit_length()], bank))
        m.d.comb += [self._value_read.addr.eq(value_at), self._value_read.en.eq(step)]
        m.d.comb += self._weight_read.en.eq(step)
        with m.If(step & issue):
            m.d.sync += [key.eq(Mux(last_key, 0, key + 1)), value_at.eq(value_at + 1)]
            with m.If(last_key):
                m.d.sync += group.eq(group + 1)
            with m.If(last_key & (group == config.groups - 1)):
                m.d.sync += [group.eq(0), head.eq(head + 1), bank.eq(~bank)]
                m.d.sync += full.bit_select(bank, 1).eq(0)
                with m.If(head == config.heads - 1):
                    m.d.sync += [head.eq(0), value_at.eq(0)]
        # Cycle 1: multiply. Cycle 2 (or the same, without registers): accumulate.
        with m.If(step):
            m.d.sync += stages[0].eq(Cat(issue, key == 0, last_key))
        products = []
        for n in columns:
            value = self._value_read.data.word_select(n, ACTIVATION_BITS).as_signed()
            product = multiply(value, self._weight_read.data, dsp=config.dsp_values)
            if config.registers:
                register = Signal(signed(width), name=f"product{n}")
                with m.If(step):
                    m.d.sync += register.eq(product)
                product = register
            products.append(product)
        valid, first, last = stages[0]
        if config.registers:
            with m.If(step):
                m.d.sync += stages[1].eq(stages[0])
            valid, first, last = stages[1]
        done = Signal()
        with m.If(step):
            m.d.sync += done.eq(valid & last)
            with m.If(valid):
                for sum_, product in zip(sums, products, strict=True):
                    m.d.sync += sum_.eq(Mux(first, 0, sum_) + product)
        return sums, done, step

    def _normalise(self, m: Module, sums: list[Signal], done: Signal, step: Signal) -> None:
        """Let the sums of a group of columns out one by one, scaled by the reciprocal."""
        config, scale, source = self.config, self.requantize.i, self.reciprocal.o
        held = [Signal.like(sum_, name=f"held{n}") for n, sum_ in enumerate(sums)]
        left = Signal(range(config.columns + 1))
        group_left = Signal(range(config.head_width + 1), init=config.head_width)
        row_left = Signal(range(config.head_width + 1))  # 0: the row's reciprocal is not here
        count = Signal(range(config.columns + 1))
        free = Signal()
        taken = Signal()

        m.d.comb += count.eq(Mux(group_left > config.columns, config.columns, group_left))
        m.d.comb += [scale.valid.eq((left != 0) & (row_left != 0)), scale.p.acc.eq(held[0])]
        m.d.comb += taken.eq(scale.valid & scale.ready)
        m.d.comb += free.eq((left == 0) | (left == 1) & taken)
        m.d.comb += step.eq(~done | free)
        m.d.comb += source.ready.eq((left != 0) & (row_left == 0))
        with m.If(source.ready & source.valid):
            m.d.sync += [row_left.eq(config.head_width), scale.p.multiplier.eq(source.p.r)]
            top = config.sum_width + RECIPROCAL_BITS - 1
            m.d.sync += scale.p.shift.eq(top - source.p.z)
        with m.If(taken):
            m.d.sync += [left.eq(left - 1), row_left.eq(row_left - 1)]
            for here, following in pairwise(held):
                m.d.sync += here.eq(following)
        with m.If(done & free):
            m.d.sync += left.eq(count)
            m.d.sync += group_left.eq(
                Mux(group_left == count, config.head_width, group_left - count)
            )
            m.d.sync += [here.eq(sum_) for here, sum_ in zip(held, sums, strict=True)]
