"""Softmax attention in hardware: exponentials of scores, and the values that they weight."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import connect

from ...model.arithmetic import ACTIVATION_BITS
from .engine import AttentionEngine
from .shiftmax import Shiftmax
from .softmax_config import SoftmaxAttentionConfig
from .softmax_scores import SoftmaxScores
from .weighted_sum import WeightedSum

__all__ = ["SoftmaxAttention"]


class SoftmaxAttention(AttentionEngine[SoftmaxAttentionConfig]):
    """Mix values by the exponentials of scalar products.

    Computes docs/math.md, Eq. 22 to 25, equal in every bit to
    :func:`lutformer.model.softmax_attention.mix_softmax`. Queries, keys and values of all tokens
    are stored first; a job starts when the last value has come, and those of the next layer may
    come when the job's last output has been taken.

    A query and head take as many cycles as :meth:`row_cycles` says: a key a cycle for each group of
    columns, unless a division or the outputs take more. From the last value in to the first mixed
    value out takes :attr:`latency` cycles.

    Parameters
    ----------
    config : SoftmaxAttentionConfig

    Members
    -------
    job : In(stream.Signature(range(len(config.layers) + 1)))
        Layer whose scale and table are used.
    before : In(range(config.max_before + 1))
        Only with contexts of many jobs: tokens of the context before the job's; steady during it.
    values : In(stream.Signature(signed(8)))
        Of each token: the elements of each head's query, those of each head's key, and the value
        columns of each head.
    o : Out(stream.Signature(signed(8)))
        Of each token: the mixed columns of each head.
    """

    def __init__(self, config: SoftmaxAttentionConfig) -> None:
        self.scores, self.weighted_sum = SoftmaxScores(config), WeightedSum(config.weighted_sum)
        self.shiftmax = Shiftmax(config) if config.shiftmax else None
        super().__init__(config, codes=False)

    @property
    def latency(self) -> int:
        """Cycles from the last value in to the first mixed value out, the job waiting."""
        keys = 1 if self.config.causal else self.config.tokens
        weights = self.scores.latency + keys - 1
        if self.shiftmax is not None:
            weights += self.shiftmax.latency + keys - 1
        return 1 + weights + self.weighted_sum.latency

    def row_cycles(self, keys: int) -> int:
        """Return the cycles of a query and head with ``keys`` keys amid others of that length."""
        division = 0 if self.shiftmax is None else self.shiftmax.factor.latency + 1
        scores = self.config.key_groups * keys
        return max(scores, division, self.weighted_sum.row_cycles(keys))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.scores = scores = self.scores
        m.submodules.weighted_sum = weighted = self.weighted_sum
        start = Signal()

        m.d.comb += start.eq(self.job.valid & weighted.stored & scores.job.ready)
        m.d.comb += self.job.ready.eq(weighted.stored & scores.job.ready)
        m.d.comb += [scores.job.valid.eq(start), scores.job.payload.eq(self.job.payload)]
        m.d.comb += weighted.release.eq(start)
        self.resume(m, (scores, weighted))
        self._distribute(m)
        if self.shiftmax is None:
            connect(m, scores.o, weighted.i)
        else:
            m.submodules.shiftmax = self.shiftmax
            if self.before is not None:
                m.d.comb += self.shiftmax.before.eq(self.before)
            connect(m, scores.o, self.shiftmax.i)
            connect(m, self.shiftmax.o, weighted.i)
        connect(m, wiring.flipped(self.o), weighted.o)
        return m

    def _distribute(self, m: Module) -> None:
        """Send queries and keys to the scores, the rest of a token to the weighted sum."""
        config = self.config
        vectors, columns = 2 * config.heads * config.key_width, config.heads * config.head_width
        place = Signal(range(vectors + columns))
        is_value = Signal()
        end = Signal()
        source = stream.Signature(signed(ACTIVATION_BITS)).create(path=("admitted",))

        self.admit(m, self.values, source)
        m.d.comb += [is_value.eq(place >= vectors), end.eq(place == vectors + columns - 1)]
        for target, chosen in (
            (self.scores.vectors, ~is_value),
            (self.weighted_sum.values, is_value),
        ):
            m.d.comb += target.payload.eq(source.payload)
            m.d.comb += target.valid.eq(source.valid & chosen)
        m.d.comb += source.ready.eq(1)
        with m.If(source.valid):
            m.d.sync += place.eq(Mux(end, 0, place + 1))
