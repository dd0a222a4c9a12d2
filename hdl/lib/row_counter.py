"""Counter of keys, sweeps, heads and queries, in the order in which attention goes through them."""

from typing import Protocol

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["RowCounter", "Rows", "row_counter", "row_lengths"]


def row_lengths(tokens: int, causal: bool) -> list[int]:
    """Return how many keys each query sees."""
    return list(range(1, tokens + 1)) if causal else [tokens] * tokens


class RowCounter(wiring.Component):
    """Count the keys that each query sees, once for each sweep of each head.

    A row is a query and a head. It has n keys, or in a causal layer ``query + 1``. The count moves
    in a cycle with ``advance`` and starts again after the last row.

    With ``resume`` there are the rows of one query only, whose number is an input.

    Parameters
    ----------
    tokens, heads : int
    causal : bool
        Whether query i sees the keys 0 to i only.
    sweeps : int
        How often the keys of a row are gone through.
    resume : bool
        Causal, and one query at a time.

    Members
    -------
    advance : In(1)
    before : In(range(tokens))
        With ``resume``: the query, steady while its rows are counted.
    key : Out(range(tokens))
    head : Out(range(heads))
    query : Out(range(tokens))
    last : Out(1)
        The key is the last one of a sweep.
    row_end : Out(1)
        It is the last one of the row,
    query_end : Out(1)
        of the query's last row,
    end : Out(1)
        and of the last query.
    """

    advance: Signal
    before: Signal
    key: Signal
    head: Signal
    query: Signal
    last: Signal
    row_end: Signal
    query_end: Signal
    end: Signal

    def __init__(
        self, *, tokens: int, heads: int, causal: bool, sweeps: int = 1, resume: bool = False
    ) -> None:
        self.tokens, self.heads, self.causal, self.sweeps = tokens, heads, causal, sweeps
        self.resume = resume
        super().__init__(
            {
                "advance": In(1),
                "before": In(range(tokens)),
                "key": Out(range(tokens)),
                "head": Out(range(heads)),
                "query": Out(range(tokens)),
                "last": Out(1),
                "row_end": Out(1),
                "query_end": Out(1),
                "end": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sweep = Signal(range(self.sweeps))
        head, query = self.head, self.query

        m.d.comb += self.last.eq(self.key == (query if self.causal else self.tokens - 1))
        m.d.comb += self.row_end.eq(self.last & (sweep == self.sweeps - 1))
        m.d.comb += self.query_end.eq(self.row_end & (head == self.heads - 1))
        if self.resume:
            m.d.comb += [query.eq(self.before), self.end.eq(self.query_end)]
        else:
            m.d.comb += self.end.eq(self.query_end & (query == self.tokens - 1))
        with m.If(self.advance):
            m.d.sync += self.key.eq(Mux(self.last, 0, self.key + 1))
            with m.If(self.last):
                m.d.sync += sweep.eq(Mux(self.row_end, 0, sweep + 1))
            with m.If(self.row_end):
                m.d.sync += head.eq(Mux(self.query_end, 0, head + 1))
            if not self.resume:
                with m.If(self.query_end):
                    m.d.sync += query.eq(Mux(self.end, 0, query + 1))
        return m


class Rows(Protocol):
    """The shape of an attention layer, as far as its rows go."""

    @property
    def max_keys(self) -> int:
        """Tokens that a query may see."""
        ...

    @property
    def heads(self) -> int: ...

    @property
    def causal(self) -> bool: ...

    @property
    def context(self) -> int:
        """Tokens of a context that continues across jobs; 0 if every job begins its own."""
        ...


def row_counter(m: Module, config: Rows, before: Signal) -> RowCounter:
    """Return a counter of an attention layer's rows, not yet a submodule of ``m``.

    ``before`` is the number of the query, where a context goes on.
    """
    rows = RowCounter(
        tokens=config.max_keys, heads=config.heads, causal=config.causal, resume=config.context > 0
    )
    m.d.comb += rows.before.eq(before)
    return rows
