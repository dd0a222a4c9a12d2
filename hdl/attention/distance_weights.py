"""Weights of keys by their Hamming distance and their place, in hardware."""

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.hamming_attention import ALIBI_FRACTION, POWER_TOP
from ..lib.arithmetic import adder_tree, multiple, select
from ..lib.memory import block_memory
from ..lib.row_counter import RowCounter, row_counter
from .hamming_config import HammingAttentionConfig

__all__ = ["DistanceWeights"]

HALF = 1 << ALIBI_FRACTION - 1
MAX_SHIFT = 16


class DistanceWeights(wiring.Component):
    """Look up the weight of each key at its distance, less what its place in the sequence costs.

    Computes docs/math.md, Eq. 12. A key a cycle, after :attr:`latency` cycles.

    Parameters
    ----------
    config : HammingAttentionConfig

    Members
    -------
    start : In(1)
        Distances of ``layer`` come next.
    layer : In(range(len(config.layers) + 1))
    before : In(range(config.max_keys))
        Only with contexts of many jobs: tokens of the context before the job's; steady from the
        start to the last distance.
    i : In(stream.Signature(StructLayout(distance[, keep])))
        Of each query, of each head: the distance of each key, and whether it has a weight.
    o : Out(stream.Signature(config.weighted_sum.weight_shape))
    """

    start: Signal
    layer: Signal
    before: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, config: HammingAttentionConfig) -> None:
        self.config = config
        self.penalises = any(bool(layer.alibi.any()) for layer in config.layers)
        fields = {"distance": range(config.code_bits + 1)}
        self.layout = data.StructLayout(fields | ({"keep": 1} if config.top_k else {}))
        super().__init__(
            {
                "start": In(1),
                "layer": In(range(len(config.layers) + 1)),
                "before": In(range(config.max_keys)),
                "i": In(stream.Signature(self.layout)),
                "o": Out(stream.Signature(config.weighted_sum.weight_shape)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a distance to its weight."""
        return 1 + self.penalises

    def _entries(self) -> list[int]:
        """Return the tables; exponents that nothing is taken from are worked out beforehand."""
        table = [int(e) for layer in self.config.layers for e in layer.table.ravel()]
        if not self.config.powers or self.penalises:
            return table
        return [max(0, POWER_TOP - (entry + HALF >> ALIBI_FRACTION)) for entry in table]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, entries = self.config, self._entries()
        m.submodules.table = table = block_memory(
            shape=unsigned(max(max(entries).bit_length(), 1)), depth=len(entries), init=entries
        )
        m.submodules.rows = rows = row_counter(m, config, self.before)
        look_up = table.read_port()
        step, valid, keep = Signal(), Signal(), Signal(init=1)

        m.d.comb += [step.eq(self.o.ready | ~self.o.valid), self.i.ready.eq(step)]
        m.d.comb += rows.advance.eq(self.i.valid & step)
        # Cycle 0: look up.
        m.d.comb += look_up.addr.eq(self._table_at(m, rows) + self.i.p.distance)
        m.d.comb += look_up.en.eq(step)
        with m.If(step):
            m.d.sync += valid.eq(self.i.valid)
            if config.top_k:
                m.d.sync += keep.eq(self.i.p.keep)
        if not self.penalises:
            m.d.comb += self.o.valid.eq(valid)
            self._give_out(m, m.d.comb, look_up.data, keep)
            return m
        # Cycle 1: take the penalty.
        place = self._penalty(m, rows)
        penalty = Signal.like(place, name="penalty_of_key")
        with m.If(step):
            m.d.sync += [penalty.eq(place), self.o.valid.eq(valid)]
            self._give_out(m, m.d.sync, self._taken_from(look_up.data, penalty), keep)
        return m

    def _table_at(self, m: Module, rows: RowCounter) -> Signal:
        """Return the start of the current row's table."""
        size, heads = self.config.code_bits + 1, self.config.heads
        first = Signal(range(len(self.config.layers) * heads * size + heads * size))
        at = Signal.like(first)
        with m.If(self.start):
            begin = multiple(self.layer, heads * size, len(self.config.layers))
            m.d.sync += [first.eq(begin), at.eq(begin)]
        with m.Elif(rows.advance & rows.row_end):
            m.d.sync += at.eq(Mux(rows.query_end, first, at + size))
        return at

    def _penalty(self, m: Module, rows: RowCounter) -> Signal:
        """Follow ``g_h * |i - j|`` from key to key, without a multiplication."""
        config, heads = self.config, self.config.heads
        top = max(int(layer.alibi.max()) for layer in config.layers)
        layer = Signal.like(self.layer, name="layer_at_hand")
        rates = [Signal(range(top + 1), name=f"rate{h}") for h in range(heads)]
        place = Signal(range(top * config.max_keys + 1), name="penalty")
        rate = Signal.like(rates[0], name="rate")

        with m.If(self.start):
            m.d.sync += layer.eq(self.layer)
        with m.Switch(Mux(self.start, self.layer, layer)):
            for n, golden in enumerate(config.layers):
                with m.Case(n):
                    m.d.comb += [r.eq(int(g)) for r, g in zip(rates, golden.alibi, strict=True)]
        m.d.comb += rate.eq(select(rates, rows.head))
        with m.If(rows.advance):
            m.d.sync += place.eq(Mux(rows.key < rows.query, place - rate, place + rate))
        # The first key of a row is token 0, as far from a query as its number says.
        if config.context:
            following = Mux(self.start, rates[0], select([*rates[1:], rates[0]], rows.head))
            terms = [Mux(bit, following, 0) << n for n, bit in enumerate(self.before)]
            with m.If(self.start | rows.advance & rows.row_end):
                m.d.sync += place.eq(adder_tree(terms))
            return place
        firsts = [Signal.like(place, name=f"first{h}") for h in range(heads)]
        with m.If(self.start):
            m.d.sync += [place.eq(0), *[first.eq(0) for first in firsts]]
        with m.If(rows.advance & rows.row_end):
            begins = [first + r for first, r in zip(firsts, rates, strict=True)]
            following = Mux(rows.query_end, begins[0], select([*firsts[1:], firsts[0]], rows.head))
            m.d.sync += place.eq(following)
            with m.If(rows.query_end):
                m.d.sync += [f.eq(begin) for f, begin in zip(firsts, begins, strict=True)]
        return place

    def _taken_from(self, entry: Value, penalty: Signal) -> Value:
        """Return a weight, or its exponent, less the penalty."""
        if self.config.powers:
            lost = (entry + penalty + HALF) >> ALIBI_FRACTION
            return Mux(lost > POWER_TOP, 0, POWER_TOP - lost)[: POWER_TOP.bit_length()]
        places = (penalty + HALF) >> ALIBI_FRACTION
        shifted = entry >> Mux(places > MAX_SHIFT, MAX_SHIFT, places)[: MAX_SHIFT.bit_length()]
        return Mux(shifted == 0, 1, shifted)

    def _give_out(self, m: Module, domain: object, weight: Value, keep: Signal) -> None:
        """Assign a weight, or nothing for a key that is not kept, to the output."""
        statements = [
            [self.o.p.exponent.eq(weight), self.o.p.keep.eq(keep)]
            if self.config.powers
            else self.o.payload.eq(Mux(keep, weight, 0) if self.config.top_k else weight)
        ]
        domain += statements  # type: ignore[operator]
