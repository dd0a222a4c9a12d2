"""Hamming attention in hardware: scores, and the values that they weight."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from .distance_weights import DistanceWeights
from .engine import AttentionEngine
from .hamming_config import HammingAttentionConfig
from .hamming_scores import HammingScores
from .top_k import TopK
from .weighted_sum import WeightedSum

__all__ = ["HammingAttention"]


class HammingAttention(AttentionEngine[HammingAttentionConfig]):
    """Mix values by the Hamming distance of binary codes.

    Computes docs/math.md, Eq. 11 to 14, with all that Eq. 12 allows (powers of two, a penalty for
    distance in the sequence, the nearest keys alone, causal layers), equal in every bit to
    :func:`lutformer.model.hamming_attention.mix`. Codes and values of all tokens are stored first;
    a job starts when the last of them has come. Those of the next layer may come when the job's
    last output has been taken.

    A query and head take as many cycles as :class:`WeightedSum` says. From the last value in to
    the first mixed value out, all codes being there, takes :attr:`latency` cycles.

    Parameters
    ----------
    config : HammingAttentionConfig

    Members
    -------
    job : In(stream.Signature(range(len(config.layers) + 1)))
        Layer whose tables are used.
    before : In(range(config.max_before + 1))
        Only with contexts of many jobs: tokens of the context before the job's; steady during it.
    codes : In(stream.Signature(1))
        Of each token: T bits of each head's query, then of each head's key.
    values : In(stream.Signature(signed(8)))
        Of each token: the columns of each head.
    o : Out(stream.Signature(signed(8)))
        Of each token: the mixed columns of each head.
    """

    def __init__(self, config: HammingAttentionConfig) -> None:
        self.scores, self.weights = HammingScores(config), DistanceWeights(config)
        self.nearest = TopK(config) if config.top_k else None
        self.weighted_sum = WeightedSum(config.weighted_sum)
        super().__init__(config, codes=True)

    @property
    def latency(self) -> int:
        """Cycles from the last value in to the first mixed value out, the job waiting."""
        row = 1 if self.config.causal else self.config.tokens
        selection = 0 if self.nearest is None else self.nearest.latency + row - 1
        scores = self.scores.latency + selection + self.weights.latency
        return scores + row + self.weighted_sum.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.scores = scores = self.scores
        m.submodules.weights = weights = self.weights
        m.submodules.weighted_sum = weighted = self.weighted_sum
        start = Signal()
        assert self.codes is not None

        m.d.comb += self.job.ready.eq(weighted.stored & scores.ready)
        m.d.comb += start.eq(self.job.valid & self.job.ready)
        m.d.comb += [scores.start.eq(start), weighted.release.eq(start)]
        m.d.comb += [weights.start.eq(start), weights.layer.eq(self.job.payload)]
        if self.before is not None:
            m.d.comb += weights.before.eq(self.before)
        self.admit(m, self.codes, scores.codes)
        self.admit(m, self.values, weighted.values)
        self.resume(m, (scores, weighted))
        if self.nearest is None:
            m.d.comb += [weights.i.valid.eq(scores.o.valid), scores.o.ready.eq(weights.i.ready)]
            m.d.comb += weights.i.p.distance.eq(scores.o.payload)
        else:
            m.submodules.nearest = self.nearest
            if self.before is not None:
                m.d.comb += self.nearest.before.eq(self.before)
            connect(m, scores.o, self.nearest.i)
            connect(m, self.nearest.o, weights.i)
        connect(m, weights.o, weighted.i)
        connect(m, wiring.flipped(self.o), weighted.o)
        return m
