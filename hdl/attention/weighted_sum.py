"""Weighted sums of values, normalised by the sum of the weights, in hardware."""

from itertools import pairwise
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ...model.arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS
from ..lib.arithmetic import multiple, multiply
from ..lib.memory import block_memory
from ..lib.reciprocal import Reciprocal
from ..lib.requantize import Requantize
from ..lib.row_counter import RowCounter
from .weighted_sum_config import WeightedSumConfig

__all__ = ["WeightedSum"]


class WeightedSum(wiring.Component):
    """Sum the values of all keys by their weights, for each query and head.

    Computes docs/math.md, Eq. 13 and 14, or with ``config.fraction`` the last part of Eq. 25. The
    values of all tokens are stored first. The weights of a query and head gather in one bank of a
    buffer; from the other, ``columns`` values a cycle are weighted, one key after the other, for
    each group of columns. Meanwhile the reciprocal of the sum of the weights is taken.

    A query and head with k keys (n, or in a causal layer the query's number plus 1) take as many
    cycles as :meth:`row_cycles` says: ``groups * k`` unless its outputs or the reciprocal take
    more. From the last weight of the first row to its first output takes :attr:`latency` cycles.

    Parameters
    ----------
    config : WeightedSumConfig

    Members
    -------
    layer : In(range(config.banks + 1))
    before : In(range(config.tokens))
        Only with ``banks``: the layer, and tokens of the context before the job's; both steady from
        its first value to ``release``, and the second to its last output.
    values : In(stream.Signature(signed(8)))
        Of each token: the columns of each head.
    stored : Out(1)
        The values of all tokens, or with ``banks`` of the next one, have come.
    release : In(1)
        Forget that they have: the next values overwrite them.
    i : In(stream.Signature(config.weight_shape))
        Of each query, of each head: the weight of each key.
    o : Out(stream.Signature(signed(8)))
        Of each query: the mixed columns of each head.
    """

    layer: Signal
    before: Signal
    values: stream.Interface
    stored: Signal
    release: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, config: WeightedSumConfig) -> None:
        self.config = config
        self.normalised = config.fraction is None
        self.reciprocal = Reciprocal(config.sum_width) if self.normalised else None
        self.acc_width = config.sum_width + ACTIVATION_BITS
        self.requantize = Requantize(
            acc_width=self.acc_width,
            multiplier_width=RECIPROCAL_BITS if self.normalised else 1,
            shift=config.sum_shift,
            bits=ACTIVATION_BITS,
            variable=self.normalised,
            # |A| <= 128 * S, and the reciprocal is not above 1/S
            reach=ACTIVATION_BITS + 1 if self.normalised else None,
            dsp=config.dsp_divide and self.normalised,
            two_cycle_multiply=config.two_cycle_multiply,
            registers=config.registers,
        )
        super().__init__(
            {
                "layer": In(range(config.banks + 1)),
                "before": In(range(config.tokens)),
                "values": In(stream.Signature(signed(ACTIVATION_BITS))),
                "stored": Out(1),
                "release": In(1),
                "i": In(stream.Signature(config.weight_shape)),
                "o": Out(stream.Signature(signed(ACTIVATION_BITS))),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the last weight of a layer's first row to its first output."""
        keys = 1 if self.config.causal else self.config.tokens
        sums = keys + 3 + self.config.registers
        inverse = 0 if self.reciprocal is None else self.reciprocal.latency + 2
        return max(sums, inverse) + self.requantize.interval - 1 + self.requantize.latency

    def row_cycles(self, keys: int) -> int:
        """Return the cycles of a row in the middle of others of its length."""
        outputs = self.config.head_width * self.requantize.interval
        inverse = 0 if self.reciprocal is None else self.reciprocal.latency + 1
        return max(self.config.groups * keys, outputs, inverse)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.requantize = self.requantize
        self._store(m)
        full = self._gather(m)
        sums, done, step = self._weight(m, full)
        present = self._scale(m)
        self._give_out(m, sums, done, step, present)
        connect(m, wiring.flipped(self.o), self.requantize.o)
        return m

    def _rows(self, m: Module, sweeps: int = 1) -> RowCounter:
        config = self.config
        rows = RowCounter(
            tokens=config.tokens,
            heads=config.heads,
            causal=config.causal,
            sweeps=sweeps,
            resume=config.banks > 0,
        )
        m.d.comb += rows.before.eq(self.before)
        return rows

    @property
    def _bank_words(self) -> int:
        return self.config.heads * self.config.groups * self.config.tokens

    def _bank(self) -> Value:
        """Return where the values of the layer begin."""
        return multiple(self.layer, self._bank_words, max(self.config.banks, 1))

    def _weight_of(self, payload: Any) -> Value:
        """Return the weight that a word of the stream stands for."""
        return payload.keep << payload.exponent if self.config.powers else payload

    def _product(self, value: Value, payload: Any) -> Value:
        """Return a value times its weight."""
        if self.config.powers:
            return Mux(payload.keep, value, 0).as_signed() << payload.exponent
        return multiply(value, payload, dsp=self.config.dsp_values)

    def _store(self, m: Module) -> None:
        """Keep the values as they come: word ``(h * groups + g) * n + t``."""
        config = self.config
        m.submodules.values = memory = block_memory(
            shape=unsigned(ACTIVATION_BITS * config.columns),
            depth=max(config.banks, 1) * self._bank_words,
        )
        self._value_read, write = memory.read_port(), memory.write_port()
        kept = [Signal(ACTIVATION_BITS, name=f"value{n}") for n in range(config.columns - 1)]
        lane = Signal(range(config.columns))
        column = Signal(range(config.head_width))
        head = Signal(range(config.heads))
        token = Signal(range(config.tokens))
        following = Signal.like(token)
        at = Signal.like(write.addr)
        end = Signal()
        x = self.values.payload.as_unsigned()

        m.d.comb += self.values.ready.eq(1)
        m.d.comb += end.eq(column == config.head_width - 1)
        if not config.banks:
            m.d.comb += following.eq(Mux(token == config.tokens - 1, 0, token + 1))
        m.d.comb += write.addr.eq(at + (self._bank() + self.before if config.banks else 0))
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
                m.d.sync += [lane.eq(0), at.eq(at + config.tokens)]
            with m.If(end):
                m.d.sync += head.eq(head + 1)
            with m.If(end & (head == config.heads - 1)):
                m.d.sync += [head.eq(0), token.eq(following), at.eq(following)]
                m.d.sync += self.stored.eq((token == config.tokens - 1) | (config.banks > 0))

    def _gather(self, m: Module) -> Signal:
        """Collect the weights of a query and head, and their sum; return which banks are full."""
        config, key_bits = self.config, (self.config.tokens - 1).bit_length()
        m.submodules.weights = memory = block_memory(shape=config.weight_shape, depth=2 << key_bits)
        m.submodules.gather_rows = rows = self._rows(m)
        self._weight_read, write = memory.read_port(), memory.write_port()
        bank = Signal()
        full = Signal(2)
        stop = Signal()

        m.d.comb += self.i.ready.eq(~full.bit_select(bank, 1) & ~stop)
        m.d.comb += [write.addr.eq(Cat(rows.key[:key_bits], bank)), write.data.eq(self.i.payload)]
        m.d.comb += [rows.advance.eq(self.i.valid & self.i.ready), write.en.eq(rows.advance)]
        with m.If(rows.advance & rows.row_end):
            m.d.sync += [bank.eq(~bank), full.bit_select(bank, 1).eq(1)]
        m.d.comb += stop.eq(self._invert(m, rows))
        return full

    def _invert(self, m: Module, rows: RowCounter) -> Value:
        """Sum the weights and hand the sum on; return whether it waits for the reciprocal."""
        if self.reciprocal is None:
            return Const(0)
        m.submodules.reciprocal = reciprocal = self.reciprocal
        total = Signal(self.config.sum_width)
        pending = Signal()
        m.d.comb += [reciprocal.i.valid.eq(pending), reciprocal.i.payload.eq(total)]
        with m.If(reciprocal.i.ready):
            m.d.sync += pending.eq(0)
        with m.If(rows.advance):
            before = Mux(rows.key == 0, 0, total)
            m.d.sync += total.eq(before + self._weight_of(self.i.payload))
            with m.If(rows.row_end):
                m.d.sync += pending.eq(1)
        return pending & ~reciprocal.i.ready

    def _weight(self, m: Module, full: Signal) -> tuple[list[Signal], Signal, Signal]:
        """Sweep over keys for each group of columns; return sums, their completion, the step."""
        config, tokens = self.config, self.config.tokens
        m.submodules.weight_rows = rows = self._rows(m, config.groups)
        bank = Signal()
        value_at = Signal(range(config.heads * config.groups * tokens + 1))
        issue = Signal()
        step = Signal()
        stage = Signal(3)  # valid, first, last

        # Cycle 0: read a weight and the values.
        m.d.comb += [issue.eq(full.bit_select(bank, 1)), rows.advance.eq(step & issue)]
        m.d.comb += self._weight_read.addr.eq(Cat(rows.key[: (tokens - 1).bit_length()], bank))
        m.d.comb += [self._value_read.addr.eq(value_at), self._value_read.en.eq(step)]
        if config.banks:
            first = Signal.like(self._value_read.addr, name="first_of_layer")
            m.d.comb += self._value_read.addr.eq(first + value_at)
            with m.If(self.release):
                m.d.sync += first.eq(self._bank())
        m.d.comb += self._weight_read.en.eq(step)
        with m.If(rows.advance):
            unseen = Mux(rows.last, tokens - rows.key, 1) if config.causal else 1
            m.d.sync += value_at.eq(Mux(rows.query_end, 0, value_at + unseen))
            with m.If(rows.row_end):
                m.d.sync += [bank.eq(~bank), full.bit_select(bank, 1).eq(0)]
        with m.If(step):
            m.d.sync += stage.eq(Cat(issue, rows.key == 0, rows.last))
        weight, words = self._weight_read.data, self._value_read.data
        values = [words.word_select(n, ACTIVATION_BITS).as_signed() for n in range(config.columns)]
        products: list[Value] = [self._product(value, weight) for value in values]
        if config.registers:  # Cycle 1: multiply.
            stage, products = self._register(m, stage, products, step)
        # Cycle 2 (1 without registers): accumulate.
        sums, done = self._accumulate(m, stage, products, step)
        return sums, done, step

    def _register(
        self, m: Module, stage: Signal, products: list[Value], step: Signal
    ) -> tuple[Signal, list[Value]]:
        """Return the products one cycle later."""
        width = self.config.weight_width + ACTIVATION_BITS
        later = Signal.like(stage, name="stage_of_products")
        registers = [Signal(signed(width), name=f"product{n}") for n in range(len(products))]
        with m.If(step):
            m.d.sync += later.eq(stage)
            m.d.sync += [r.eq(product) for r, product in zip(registers, products, strict=True)]
        return later, list(registers)

    def _accumulate(
        self, m: Module, stage: Signal, products: list[Value], step: Signal
    ) -> tuple[list[Signal], Signal]:
        """Return the sums over the keys, and whether they are complete."""
        valid, first, last = stage
        sums = [Signal(signed(self.acc_width), name=f"sum{n}") for n in range(len(products))]
        done = Signal()
        with m.If(step):
            m.d.sync += done.eq(valid & last)
            with m.If(valid):
                for sum_, product in zip(sums, products, strict=True):
                    m.d.sync += sum_.eq(Mux(first, 0, sum_) + product)
        return sums, done

    def _scale(self, m: Module) -> Value:
        """Hold the reciprocal of a row while its sums go out; return whether it is there."""
        config, scale = self.config, self.requantize.i
        if self.reciprocal is None:
            m.d.comb += scale.p.multiplier.eq(1)
            return Const(1)
        source = self.reciprocal.o
        left = Signal(range(config.head_width + 1))  # sums of the row
        taken = scale.valid & scale.ready
        m.d.comb += source.ready.eq((left == 0) | (left == 1) & taken)
        with m.If(taken):
            m.d.sync += left.eq(left - 1)
        with m.If(source.ready & source.valid):
            m.d.sync += [left.eq(config.head_width), scale.p.multiplier.eq(source.p.r)]
            m.d.sync += scale.p.shift.eq(config.sum_shift - source.p.z)
        return left != 0

    def _give_out(
        self, m: Module, sums: list[Signal], done: Signal, step: Signal, present: Value
    ) -> None:
        """Let the sums of a group of columns out one by one."""
        config, scale = self.config, self.requantize.i
        held = [Signal.like(sum_, name=f"held{n}") for n, sum_ in enumerate(sums)]
        left = Signal(range(config.columns + 1))
        group_left = Signal(range(config.head_width + 1), init=config.head_width)
        count = Signal(range(config.columns + 1))
        free = Signal()
        taken = Signal()

        m.d.comb += count.eq(Mux(group_left > config.columns, config.columns, group_left))
        m.d.comb += [scale.valid.eq((left != 0) & present), scale.p.acc.eq(held[0])]
        m.d.comb += taken.eq(scale.valid & scale.ready)
        m.d.comb += free.eq((left == 0) | (left == 1) & taken)
        m.d.comb += step.eq(~done | free)
        with m.If(taken):
            m.d.sync += left.eq(left - 1)
            for here, following in pairwise(held):
                m.d.sync += here.eq(following)
        with m.If(done & free):
            m.d.sync += left.eq(count)
            m.d.sync += group_left.eq(
                Mux(group_left == count, config.head_width, group_left - count)
            )
            m.d.sync += [here.eq(sum_) for here, sum_ in zip(held, sums, strict=True)]
