"""Weights of keys from the Hamming distance of binary codes, in hardware."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import popcount
from .hamming_config import HammingAttentionConfig
from .memory import block_memory

__all__ = ["HammingScores"]


class HammingScores(wiring.Component):
    """Compare each query with each key, and look up the weight of the distance.

    Computes docs/math.md, Eq. 11 and 12. A query and head take ``n + 1`` cycles.

    Parameters
    ----------
    config : HammingAttentionConfig

    Members
    -------
    job : In(stream.Signature(range(len(config.layers))))
        Layer whose table is used; all codes have been stored before.
    codes : In(stream.Signature(1))
        Of each token: T bits of each head's query, then of each head's key.
    o : Out(stream.Signature(config.weight_width))
        Of each query, of each head: the weight of each key.
    """

    latency = 4  # from the job to the first weight

    job: stream.Interface
    codes: stream.Interface
    o: stream.Interface

    def __init__(self, config: HammingAttentionConfig) -> None:
        self.config = config
        super().__init__(
            {
                "job": In(stream.Signature(range(len(config.layers) + 1))),
                "codes": In(stream.Signature(1)),
                "o": Out(stream.Signature(config.weight_width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.codes = memory = block_memory(
            shape=unsigned(config.code_bits),
            depth=2 * config.heads * config.tokens,
        )
        m.submodules.table = table = block_memory(
            shape=unsigned(config.weight_width),
            depth=len(config.layers) * config.heads * (config.code_bits + 1),
            init=[int(e) for layer in config.layers for e in layer.table.ravel()],
        )
        self._store(m, memory.write_port())
        step = Signal()
        read, look_up = memory.read_port(), table.read_port()
        issue, query, table_at = self._sweep(m, step, read)
        distance = Signal(range(config.code_bits + 1))
        valid = Signal(2)

        m.d.comb += step.eq(self.o.ready | ~self.o.valid)
        # Cycle 0: read a key. Cycle 1: its distance. Cycle 2: look up.
        with m.If(step):
            m.d.sync += [valid.eq(Cat(issue, valid)), self.o.valid.eq(valid[1])]
            m.d.sync += distance.eq(popcount(read.data ^ query))
        m.d.comb += [look_up.addr.eq(table_at + distance), look_up.en.eq(step)]
        m.d.comb += self.o.payload.eq(look_up.data)
        return m

    def _store(self, m: Module, write: Any) -> None:
        """Keep the codes as they come: word ``h * n + t`` for queries, behind them the keys."""
        config = self.config
        kept = Signal(config.code_bits)
        bit = Signal(range(config.code_bits))
        word = Signal(range(2 * config.heads))
        token = Signal(range(config.tokens))
        following = Signal.like(token)
        code = Cat(kept, self.codes.payload)[1:]

        m.d.comb += following.eq(Mux(token == config.tokens - 1, 0, token + 1))
        m.d.comb += [write.data.eq(code), self.codes.ready.eq(1)]
        with m.If(self.codes.valid):
            m.d.sync += [kept.eq(code), bit.eq(bit + 1)]
            with m.If(bit == config.code_bits - 1):
                m.d.comb += write.en.eq(1)
                m.d.sync += [bit.eq(0), word.eq(word + 1)]
                m.d.sync += write.addr.eq(write.addr + config.tokens)
                with m.If(word == 2 * config.heads - 1):
                    m.d.sync += [word.eq(0), token.eq(following), write.addr.eq(following)]

    def _sweep(self, m: Module, step: Signal, read: Any) -> tuple[Signal, Signal, Signal]:
        """Read a query, then each key of its head; return the reading, the query, its table."""
        config = self.config
        tokens, heads, rows = config.tokens, config.heads, config.code_bits + 1
        first_key = heads * tokens
        token = Signal(range(tokens))
        head = Signal(range(heads))
        key = Signal(range(tokens))
        query_at = Signal(range(first_key + tokens))
        key_at = Signal(range(2 * first_key + 1))
        next_table = Signal(range((len(config.layers) * heads + 1) * rows))
        table_at = Signal.like(next_table)
        query = Signal(config.code_bits)
        issue = Signal()
        last_head = Signal()

        m.d.comb += last_head.eq(head == heads - 1)
        with m.FSM(name="sweep"):
            with m.State("idle"):
                m.d.comb += self.job.ready.eq(1)
                m.d.sync += [query_at.eq(0), key_at.eq(first_key)]
                m.d.sync += next_table.eq(self.job.payload * (heads * rows))
                with m.If(self.job.valid):
                    m.next = "query"
            with m.State("query"):
                m.d.comb += [read.addr.eq(query_at), read.en.eq(step)]
                with m.If(step):
                    m.next = "keys"
            with m.State("keys"):
                m.d.comb += [read.addr.eq(key_at), read.en.eq(step), issue.eq(1)]
                with m.If(step):
                    m.d.sync += [key.eq(key + 1), key_at.eq(key_at + 1)]
                with m.If(step & (key == 0)):
                    m.d.sync += [query.eq(read.data), table_at.eq(next_table)]
                with m.If(step & (key == tokens - 1)):
                    m.d.sync += [key.eq(0), head.eq(Mux(last_head, 0, head + 1))]
                    m.d.sync += query_at.eq(Mux(last_head, token + 1, query_at + tokens))
                    back = next_table - (heads - 1) * rows
                    m.d.sync += next_table.eq(Mux(last_head, back, next_table + rows))
                    m.next = "query"
                    with m.If(last_head):
                        m.d.sync += [key_at.eq(first_key), token.eq(token + 1)]
                    with m.If(last_head & (token == tokens - 1)):
                        m.d.sync += token.eq(0)
                        m.next = "idle"
        return issue, query, table_at
