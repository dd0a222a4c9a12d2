"""Running sums of keys times values, and the queries' sums over them, in hardware."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import ACTIVATION_BITS
from ..lib.arithmetic import signed_sum
from ..lib.memory import block_memory
from .linear_config import LinearAttentionConfig
from .linear_sweep import LinearSweep, row_layout

__all__ = ["LinearSums"]


class LinearSums(wiring.Component):
    """Work on one row of a group of columns of a head's state a cycle.

    Computes docs/math.md, Eq. 30, 31 and 33. A first pass over the tokens adds each of them to the
    states, a second one adds up the states for each query; in a causal layer one pass does both. A
    row is read, changed, and two cycles later (three with registers) written back and added to the
    query's sums. A context's first token overwrites what the one before has left.

    A pass takes ``n * max(config.words, config.depth)`` cycles, see :class:`LinearSweep`. From a
    head's first row to the sums of its first group takes :attr:`latency` cycles.

    Parameters
    ----------
    config : LinearAttentionConfig

    Members
    -------
    start : In(1)
        Begin a job, when ``idle``.
    layer : In(range(len(config.layers) + 1))
        Its layer, steady until ``idle``.
    fresh : In(1)
        The job's first token begins a context; steady until ``idle``.
    idle : Out(1)
    complete : In(1)
        The next token of the first pass has come.
    step, next_values, next_code, release : Out(1)
        Read codes and values. With this step a group, a head, a token of the first pass ends.
    query, key : In(config.code_bits)
    values : In(8 * config.columns)
        What the step before has read.
    o : Out(stream.Signature(config.sums_layout))
        Of each query, of each head: the sums of each group of columns.
    """

    start: Signal
    layer: Signal
    fresh: Signal
    idle: Signal
    complete: Signal
    step: Signal
    next_values: Signal
    next_code: Signal
    release: Signal
    query: Signal
    key: Signal
    values: Signal
    o: stream.Interface

    def __init__(self, config: LinearAttentionConfig) -> None:
        self.config = config
        self.sweep = LinearSweep(config)
        super().__init__(
            {
                "start": In(1),
                "layer": In(range(len(config.layers) + 1)),
                "fresh": In(1),
                "idle": Out(1),
                "complete": In(1),
                "step": Out(1),
                "next_values": Out(1),
                "next_code": Out(1),
                "release": Out(1),
                "query": In(config.code_bits),
                "key": In(config.code_bits),
                "values": In(ACTIVATION_BITS * config.columns),
                "o": Out(stream.Signature(config.sums_layout)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a head's first row to the sums of its first group."""
        return self.config.rows - 1 + self.config.depth

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.sweep = sweep = self.sweep
        m.submodules.states = states = block_memory(
            shape=unsigned(config.columns * config.column_width), depth=config.banks * config.words
        )
        m.submodules.ones = ones = block_memory(
            shape=signed(config.ones_width), depth=config.banks * config.heads * config.rows
        )
        read, ones_read = states.read_port(), ones.read_port()
        stages = [Signal(row_layout(config), name=f"stage{n + 1}") for n in range(config.depth - 1)]
        self._stages: Any = stages

        for name in ("start", "layer", "fresh", "complete", "step"):
            m.d.comb += getattr(sweep, name).eq(getattr(self, name))
        for name in ("next_values", "next_code", "release"):
            m.d.comb += getattr(self, name).eq(getattr(sweep, name))
        # Cycle 0: read a row.
        m.d.comb += [read.addr.eq(sweep.row.at), read.en.eq(self.step)]
        m.d.comb += [ones_read.addr.eq(sweep.row.ones_at), ones_read.en.eq(self.step)]
        with m.If(self.step):
            for here, before in zip(stages, (sweep.row, *stages), strict=False):
                m.d.sync += here.eq(before)
        # Cycle 1, with registers up to cycle 2: change it.
        width, value = config.column_width, ACTIVATION_BITS
        columns = [
            self._change(
                m,
                read.data[n * width : (n + 1) * width].as_signed(),
                self.values[n * value : (n + 1) * value].as_signed(),
                name=f"column{n}",
            )
            for n in range(config.columns)
        ]
        count = self._change(m, ones_read.data, None, name="count")
        # Last cycle: write it back, and add it to the query's sums.
        self._write(m, states.write_port(), Cat(*columns), stages[-1].at)
        self._write(m, ones.write_port(), count, stages[-1].ones_at, stages[-1].leading)
        done = self._add_up(m, columns, count)
        m.d.comb += [self.o.valid.eq(done), self.step.eq(~done | self.o.ready)]
        busy = Cat(*[here.valid for here in stages]).any() | done
        m.d.comb += self.idle.eq(~sweep.active & ~busy)
        return m

    def _write(self, m: Module, port: Any, word: Value, at: Value, wanted: Value | int = 1) -> None:
        row = self._stages[-1]
        m.d.comb += [port.addr.eq(at), port.data.eq(word)]
        m.d.comb += port.en.eq(self.step & row.valid & row.update & wanted)

    def _change(self, m: Module, old: Value, value: Value | None, *, name: str) -> Signal:
        """Decay a running sum, then add the token's value, or one."""
        config, row = self.config, self._stages[0]
        own = row.last & (config.form == "own" and value is not None)  # only its own value counts
        # Where valid says no, it does not matter what these hold: no reset has to reach so many.
        fresh, kept, term, biased, new = (
            Signal.like(old, name=f"{name}_{what}", reset_less=True)
            for what in ("old", "kept", "term", "biased", "new")
        )
        negate, take = (
            Signal(name=f"{name}_{what}", reset_less=True) for what in ("negate", "take")
        )
        key = self.key.bit_select(row.row, 1)

        m.d.comb += fresh.eq(Mux(row.fresh | own, 0, old))
        weighted = 1 << config.fraction if value is None else value << config.fraction
        wanted = (row.update & (key | row.last)) if config.form == "and" else row.update
        domain = m.d.sync if config.registers else m.d.comb
        step = self.step if config.registers else 1
        with m.If(step):
            domain += biased.eq(self._biased(value))  # the last row is not the first
            domain += kept.eq(self._decayed(fresh, row.decay))
            domain += negate.eq(0 if config.form == "and" else ~key & ~row.last)
            domain += [take.eq(wanted | own), term.eq(Mux(row.last, biased, weighted))]
        with m.If(self.step):
            m.d.sync += new.eq(signed_sum([kept, Mux(take, term, 0)], [Const(0), negate]))
        return new

    def _decayed(self, old: Value, decay: Value) -> Value:
        """Return ``old - ((old + 2**(s-1)) >> s)``, the rounding bit on the carry input."""
        shifts = sorted(set(self.config.decays.ravel().tolist()) - {0})
        if not shifts:
            return old
        lost, half = Const(0, signed(len(old))), Const(0)
        for s in shifts:
            lost = Mux(decay == s, old >> s, lost)
            half = Mux(decay == s, old[s - 1], half)
        return Cat(1, old).as_signed() + Cat(~half, ~lost).as_signed() >> 1

    def _biased(self, value: Value | None) -> Value:
        """Return the bias of the layer times ``value``, by shifts and additions."""
        biases = [layer.bias for layer in self.config.layers]
        out = _times(value, biases[0])
        for n, bias in enumerate(biases):
            if bias != biases[0]:
                out = Mux(self.layer == n, _times(value, bias), out)
        return out

    def _add_up(self, m: Module, columns: list[Signal], count: Signal) -> Signal:
        """Add a row to the query's sums as its bit says; return whether they are complete."""
        config, row = self.config, self._stages[-1]
        bits = [Signal(name=f"query{n}") for n in range(config.depth - 1)]
        totals = [
            Signal(signed(config.acc_width), name=f"total{n}", reset_less=True)
            for n in range(len(columns))
        ]
        ones = Signal(signed(config.sum_width + 1))
        leading = Signal()
        done = Signal()
        m.d.comb += [self.o.p.columns[n].eq(total) for n, total in enumerate(totals)]
        m.d.comb += [self.o.p.ones.eq(ones), self.o.p.leading.eq(leading)]
        m.d.comb += bits[0].eq(self.query.bit_select(self._stages[0].row, 1))
        kept = bits[-1] | row.last
        with m.If(self.step):
            m.d.sync += [here.eq(before) for here, before in zip(bits[1:], bits, strict=False)]
            m.d.sync += done.eq(row.valid & row.sum & row.last)
            with m.If(row.valid & row.sum):
                m.d.sync += leading.eq(row.leading)
        sums = [(total, new, Const(1)) for total, new in zip(totals, columns, strict=True)]
        for total, new, wanted in (*sums, (ones, count, row.leading)):
            before = Mux(row.first, 0, total)
            if config.form == "and":
                after = before + Mux(kept, new, 0)
            else:
                after = signed_sum([before, new], [Const(0), ~kept])
            with m.If(self.step & row.valid & row.sum & wanted):
                m.d.sync += total.eq(after)
        return done


def _times(value: Value | None, factor: int) -> Value:
    """Multiply by a constant, its bits in the signed-digit form that has the fewest."""
    if value is None:
        return Value.cast(factor)
    out, place = Value.cast(0), 0
    while factor:
        digit = 2 - factor % 4 if factor % 2 else 0
        if digit:
            term = value << place
            out = out + term if digit == 1 else out - term
            factor -= digit
        factor, place = factor // 2, place + 1
    return out
