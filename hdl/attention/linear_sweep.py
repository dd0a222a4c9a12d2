"""Order in which linear attention goes over its states."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..lib.arithmetic import multiple
from .linear_config import LinearAttentionConfig

__all__ = ["LinearSweep", "row_layout"]


def row_layout(config: LinearAttentionConfig) -> data.StructLayout:
    """Return the layout of a row in the pipeline."""
    return data.StructLayout(
        {
            "valid": 1,
            "row": range(config.rows),
            "first": 1,
            "last": 1,  # the row of the bias
            "leading": 1,  # of a head's first group of columns
            "fresh": 1,  # of the first token: there are no sums yet
            "update": 1,  # the pass adds the token to the states
            "sum": 1,  # the pass adds up the states for the token
            "at": range(config.banks * config.words),
            "ones_at": range(config.banks * config.heads * config.rows),
            "decay": 4,
        }
    )


class LinearSweep(wiring.Component):
    """Row by row, group by group, head by head, token by token, pass by pass.

    In the first pass a token waits until it is complete, and until the states that the token
    before has changed can be read: a token takes ``max(config.words, config.depth)`` steps.

    Parameters
    ----------
    config : LinearAttentionConfig

    Members
    -------
    start : In(1)
        Begin a job, when not ``active``.
    layer : In(range(len(config.layers) + 1))
        Its layer.
    fresh : In(1)
        The job's first token begins a context.
    complete : In(1)
        The next token of the first pass has come.
    step : In(1)
        Go on.
    active : Out(1)
        Rows of the job are left.
    row : Out(row_layout(config))
        The row at hand.
    next_values, next_code, release : Out(1)
        With this step a group, a head, a token of the first pass ends.
    """

    start: Signal
    layer: Signal
    fresh: Signal
    complete: Signal
    step: Signal
    active: Signal
    row: Any
    next_values: Signal
    next_code: Signal
    release: Signal

    def __init__(self, config: LinearAttentionConfig) -> None:
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "layer": In(range(len(config.layers) + 1)),
                "fresh": In(1),
                "complete": In(1),
                "step": In(1),
                "active": Out(1),
                "row": Out(row_layout(config)),
                "next_values": Out(1),
                "next_code": Out(1),
                "release": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, out = self.config, self.row
        go = Signal()
        ready = Signal()
        row, end_group = self._loop(m, "row", go, config.rows)
        group, end_head = self._loop(m, "group", end_group, config.groups)
        head, end_token = self._loop(m, "head", end_head, config.heads)
        token, end_pass = self._loop(m, "token", end_token, config.tokens)
        pass_, end_job = self._loop(m, "pass", end_pass, 1 if config.causal else 2)
        at, _ = self._loop(m, "at", go, config.words)

        m.d.comb += out.valid.eq(self.active & ready & (self.complete | (pass_ != 0)))
        m.d.comb += [go.eq(self.step & out.valid), ready.eq(self._settled(m, end_token))]
        m.d.comb += [out.row.eq(row), out.first.eq(row == 0), out.last.eq(row == config.code_bits)]
        m.d.comb += [
            out.leading.eq(group == 0),
            out.fresh.eq(self.fresh & (token == 0) & (pass_ == 0)),
        ]
        m.d.comb += [out.update.eq(pass_ == 0), out.sum.eq((pass_ != 0) | config.causal)]
        m.d.comb += [out.at.eq(self._bank(config.words) + at), out.decay.eq(self._decay(m, head))]
        m.d.comb += [self.next_values.eq(end_group), self.next_code.eq(end_head)]
        m.d.comb += self.release.eq(end_token & (pass_ == 0))
        ones_at = Signal(range(config.heads * config.rows))
        back = Mux(end_token, 0, Mux(end_group & ~end_head, ones_at - row, ones_at + 1))
        m.d.comb += out.ones_at.eq(self._bank(config.heads * config.rows) + ones_at)
        with m.If(go):
            m.d.sync += ones_at.eq(back)
        with m.If(end_job):
            m.d.sync += self.active.eq(0)
        with m.If(self.start):
            m.d.sync += self.active.eq(1)
        return m

    def _loop(self, m: Module, name: str, step: Value, count: int) -> tuple[Signal, Signal]:
        """Return a counter of ``step``, and whether this one is the last of a round."""
        value = Signal(range(count), name=name)
        end = Signal(name=f"{name}_end")
        m.d.comb += end.eq(step & (value == count - 1))
        with m.If(step):
            m.d.sync += value.eq(Mux(end, 0, value + 1))
        return value, end

    def _bank(self, words: int) -> Value:
        """Return where the layer's words begin, in a memory of ``words`` for each layer."""
        banks = self.config.banks
        return multiple(self.layer, words, banks) if banks > 1 else Const(0)

    def _settled(self, m: Module, end_token: Value) -> Value:
        """Return whether the states of the token before can be read."""
        wait = self.config.depth - self.config.words
        left = Signal(range(max(wait, 0) + 1))
        if wait > 0:
            with m.If(end_token):
                m.d.sync += left.eq(wait)
            with m.Elif(self.step & (left != 0)):
                m.d.sync += left.eq(left - 1)
        return left == 0

    def _decay(self, m: Module, head: Signal) -> Signal:
        """Look up the decay of a head."""
        decay = Signal(4)
        for n, layer in enumerate(self.config.decays.tolist()):
            for h, s in enumerate(layer):
                with m.If((self.layer == n) & (head == h)):
                    m.d.comb += decay.eq(s)
        return decay
