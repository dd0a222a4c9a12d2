"""Hamming distances of binary codes, in hardware."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..lib.arithmetic import multiple, popcount
from ..lib.memory import block_memory
from ..lib.row_counter import row_counter
from .hamming_config import HammingAttentionConfig

__all__ = ["HammingScores"]


class HammingScores(wiring.Component):
    """Compare each query with each key that it sees.

    Computes docs/math.md, Eq. 11. A query and head take a cycle for each key; where the values take
    several sweeps anyway, queries and keys share a memory, and one more cycle fetches the query.

    Parameters
    ----------
    config : HammingAttentionConfig

    Members
    -------
    start : In(1)
        Compare.
    layer : In(range(len(config.layers) + 1))
    before : In(range(config.max_keys))
        Only with contexts of many jobs: the layer, and tokens of the context before the job's; both
        steady from its first code to the start, and the second to its last distance.
    ready : Out(1)
        All codes are stored, and nothing is being compared: may be started.
    codes : In(stream.Signature(1))
        Of each token: T bits of each head's query, then of each head's key.
    o : Out(stream.Signature(range(T + 1)))
        Of each query, of each head: the distance of each key.
    """

    start: Signal
    layer: Signal
    before: Signal
    ready: Signal
    codes: stream.Interface
    o: stream.Interface

    def __init__(self, config: HammingAttentionConfig) -> None:
        self.config = config
        self.shared = config.groups > 1
        super().__init__(
            {
                "start": In(1),
                "layer": In(range(len(config.layers) + 1)),
                "before": In(range(config.max_keys)),
                "ready": Out(1),
                "codes": In(stream.Signature(1)),
                "o": Out(stream.Signature(range(config.code_bits + 1))),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the start to the first distance."""
        return 3 + self.shared

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, depth = self.config, self._bank_words
        m.submodules.keys = keys = block_memory(
            shape=unsigned(config.code_bits), depth=(config.banks + self.shared) * depth
        )
        step = Signal()
        valid = Signal()
        self._stored = Signal(name="stored")
        read = keys.read_port()
        if self.shared:
            self._store(m, keys.write_port(), None)
            issue, query = self._sweep(m, step, read, None)
        else:
            m.submodules.queries = queries = block_memory(
                shape=unsigned(config.code_bits), depth=depth
            )
            self._store(m, keys.write_port(), queries.write_port())
            issue, query = self._sweep(m, step, read, queries.read_port())

        m.d.comb += step.eq(self.o.ready | ~self.o.valid)
        # Cycle 0: read a key. Cycle 1: its distance.
        with m.If(step):
            m.d.sync += [valid.eq(issue), self.o.valid.eq(valid)]
            m.d.sync += self.o.payload.eq(popcount(read.data ^ query, config.popcount))
        return m

    @property
    def _bank_words(self) -> int:
        return self.config.heads * self.config.max_keys

    def _bank(self) -> Value:
        """Return where the keys of the layer begin."""
        return multiple(self.layer, self._bank_words, self.config.banks)

    def _store(self, m: Module, key_write: Any, query_write: Any) -> None:
        """Keep the codes as they come, word ``h * n + t``; shared, queries lie behind the keys."""
        config = self.config
        kept = Signal(config.code_bits)
        bit = Signal(range(config.code_bits))
        head = Signal(range(config.heads))
        is_key = Signal()
        token = Signal(range(config.tokens))
        at = Signal(range(self._bank_words + config.max_keys))
        place = self.before if config.context else Const(0)
        code = Cat(kept, self.codes.payload)[1:]
        complete = Signal()
        last_head = Signal()

        m.d.comb += self.codes.ready.eq(1)
        m.d.comb += complete.eq(self.codes.valid & (bit == config.code_bits - 1))
        m.d.comb += last_head.eq(head == config.heads - 1)
        m.d.comb += [key_write.data.eq(code), key_write.en.eq(complete)]
        if query_write is None:
            first = Mux(is_key, self._bank(), config.banks * self._bank_words)
            m.d.comb += key_write.addr.eq(first + place + at)
        else:
            m.d.comb += [key_write.addr.eq(self._bank() + place + at)]
            m.d.comb += key_write.en.eq(complete & is_key)
            m.d.comb += [query_write.data.eq(code), query_write.addr.eq(place + at)]
            m.d.comb += query_write.en.eq(complete & ~is_key)
        with m.If(self.codes.valid):
            m.d.sync += [kept.eq(code), bit.eq(Mux(complete, 0, bit + 1))]
        with m.If(complete):
            m.d.sync += [head.eq(Mux(last_head, 0, head + 1)), at.eq(at + config.max_keys)]
            with m.If(last_head):
                m.d.sync += [is_key.eq(~is_key), at.eq(token)]
            with m.If(last_head & is_key):
                following = Mux(token == config.tokens - 1, 0, token + 1)
                m.d.sync += [token.eq(following), at.eq(following)]
                with m.If(token == config.tokens - 1):
                    m.d.sync += self._stored.eq(1)

    def _sweep(self, m: Module, step: Signal, read: Any, query_read: Any) -> tuple[Signal, Value]:
        """Read each key of each row; return whether one is read, and the query of the last one."""
        config, tokens = self.config, self.config.max_keys
        m.submodules.rows = rows = row_counter(m, config, self.before)
        first = Signal(range(config.banks * self._bank_words))
        place = self.before if config.context else Const(0)
        running = Signal()
        fetched = Signal(init=not self.shared)  # the query is on its way or here
        issue = Signal()
        key_at = Signal(range(config.heads * tokens + tokens))
        query_at = Signal(range(config.heads * tokens + tokens))

        m.d.comb += [self.ready.eq(self._stored & ~running), issue.eq(running & fetched)]
        m.d.comb += [rows.advance.eq(issue & step), read.addr.eq(first + key_at), read.en.eq(step)]
        with m.If(self.start & ~running):
            m.d.sync += [running.eq(1), self._stored.eq(0), first.eq(self._bank())]
        with m.If(rows.advance):
            unseen = Mux(rows.last, tokens - rows.key, 1) if config.causal else 1
            m.d.sync += key_at.eq(Mux(rows.query_end, 0, key_at + unseen))
            with m.If(rows.row_end):
                m.d.sync += query_at.eq(Mux(rows.query_end, rows.query + 1, query_at + tokens))
            with m.If(rows.end):
                m.d.sync += [query_at.eq(0), running.eq(0)]
        if query_read is not None:
            m.d.comb += [
                query_read.addr.eq(place + query_at),
                query_read.en.eq(step & (rows.key == 0)),
            ]
            return issue, query_read.data
        query = Signal(config.code_bits)
        with m.If(~fetched):
            m.d.comb += read.addr.eq(config.banks * self._bank_words + place + query_at)
        with m.If(running & step):
            m.d.sync += fetched.eq(~(fetched & rows.row_end))
        with m.If(rows.advance & (rows.key == 0)):
            m.d.sync += query.eq(read.data)
        return issue, query
