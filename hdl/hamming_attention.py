"""Hamming attention in hardware: scores, and the values that they weight."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ..model.arithmetic import ACTIVATION_BITS
from .hamming_config import HammingAttentionConfig
from .hamming_scores import HammingScores
from .weighted_sum import WeightedSum

__all__ = ["HammingAttention"]


class HammingAttention(wiring.Component):
    """Mix values by the Hamming distance of binary codes.

    Computes docs/math.md, Eq. 11 to 14, equal in every bit to
    :func:`lutformer.model.hamming_attention.mix`. Codes and values of all tokens are stored first;
    a job starts when the last value has come, and codes and values of the next layer may come when
    the job's last output has been taken.

    A query and head take as many cycles as :class:`WeightedSum` says. From the last value in to
    the first mixed value out takes :attr:`latency` cycles.

    Parameters
    ----------
    config : HammingAttentionConfig

    Members
    -------
    job : In(stream.Signature(range(len(config.layers))))
        Layer whose tables are used.
    codes : In(stream.Signature(1))
        Of each token: T bits of each head's query, then of each head's key.
    values : In(stream.Signature(signed(8)))
        Of each token: the columns of each head.
    o : Out(stream.Signature(signed(8)))
        Of each token: the mixed columns of each head.
    """

    job: stream.Interface
    codes: stream.Interface
    values: stream.Interface
    o: stream.Interface

    def __init__(self, config: HammingAttentionConfig) -> None:
        self.config = config
        self.scores, self.weighted_sum = HammingScores(config), WeightedSum(config.weighted_sum)
        super().__init__(
            {
                "job": In(stream.Signature(range(len(config.layers) + 1))),
                "codes": In(stream.Signature(1)),
                "values": In(stream.Signature(signed(ACTIVATION_BITS))),
                "o": Out(stream.Signature(signed(ACTIVATION_BITS))),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the last value in to the first mixed value out, the job waiting."""
        return 1 + self.scores.latency + self.config.tokens + self.weighted_sum.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.scores = scores = self.scores
        m.submodules.weighted_sum = weighted = self.weighted_sum
        start = Signal()

        m.d.comb += start.eq(self.job.valid & weighted.stored & scores.job.ready)
        m.d.comb += [self.job.ready.eq(weighted.stored & scores.job.ready)]
        m.d.comb += [scores.job.valid.eq(start), scores.job.payload.eq(self.job.payload)]
        m.d.comb += weighted.release.eq(start)
        connect(m, wiring.flipped(self.codes), scores.codes)
        connect(m, wiring.flipped(self.values), weighted.values)
        connect(m, scores.o, weighted.i)
        connect(m, wiring.flipped(self.o), weighted.o)
        return m
