"""Softmax attention, twin of ``model/softmax_attention.py`` (Eq. 22 to 25), or in real numbers."""

import torch
from torch import Tensor
from torch.nn import functional

from .. import softmax_attention as golden
from ..arithmetic import ACTIVATION_BITS
from ..config.transformer import BlockConfig
from ..softmax_attention import SCORES, SHIFTMAX_BITS, shift_exponential
from .arithmetic import clamp, integer_array, integer_matmul, requantize, round_half_up
from .attention import Attention, causal_mask, distances, join_heads
from .quantizer import ACTIVATION_STEP, Ramp

__all__ = ["SCORE_STEP", "SoftmaxAttention"]

SCORE_STEP = 2.0**-4
"""What 1 stands for in a score."""
TABLE_TOP = 2**12 - 1
"""Exponential of the largest score of a row."""
LIMIT = 2**31 - 1


class SoftmaxAttention(Attention):
    """Scaled scalar products; normalised tokens in, residual increments out.

    With weights "float" it is ordinary attention: the twin that accuracy is compared with. It
    alone can have a penalty for distance, ALiBi with the slopes of Hamming attention.

    Parameters
    ----------
    config : BlockConfig
    ramp : Ramp
    output_std : float
        Initial standard deviation of the output projection.
    """

    def __init__(self, config: BlockConfig, ramp: Ramp, *, output_std: float) -> None:
        super().__init__(config, ramp)
        self.query, self.key = self.project(config.dim), self.project(config.dim)
        self.add_values(output_std)
        self.literal = config.exponential == "shiftmax"
        self.gain = ACTIVATION_STEP**2 / SCORE_STEP * (config.dim // config.heads) ** -0.5

    def mixed(self, x: Tensor, value: Tensor) -> Tensor:
        query, key = (self.split(part(x)) for part in (self.query, self.key))
        if not self.rounded:
            scale = ACTIVATION_STEP**2 * query.shape[-1] ** -0.5
            bias = self._bias(x.shape[-2], x.device) if self.config.alibi else None
            if self.watch is not None:
                self.show(self._softmax(query @ key.transpose(-1, -2) * scale, bias))
            return functional.scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=bias,
                is_causal=self.causal and bias is None,
                scale=scale,
            )
        query, key = self._within(query), self._within(key)
        score = self._within(query @ key.transpose(-1, -2) * self.gain)
        below = self._below(score)
        weight = TABLE_TOP * torch.exp(-SCORE_STEP * below)
        if self.causal:
            weight = weight.tril()
        if self.literal:
            share = weight / weight.sum(-1, keepdim=True)
            with torch.no_grad():
                exact = self._shiftmax(
                    self._look_up(round_half_up(below).long().clamp_max(SCORES - 1))
                )
            share = self.ramp(share, exact * 2.0**-SHIFTMAX_BITS)
            self.show(share)
            return share @ value
        weight = self.ramp.round(weight)
        self.show(weight)
        return weight @ value / weight.sum(-1, keepdim=True)

    def _bias(self, tokens: int, device: torch.device) -> Tensor:
        """Return the distance bias of the scores, [heads, n, n]; -inf for masked keys."""
        slopes = 2.0 ** -(2 * torch.arange(self.heads, device=device) + 1)
        bias = -slopes[:, None, None] * distances(tokens, device)
        return (
            bias.masked_fill(~causal_mask(tokens, device), float("-inf")) if self.causal else bias
        )

    def _softmax(self, score: Tensor, bias: Tensor | None) -> Tensor:
        if bias is not None:
            score = score + bias
        elif self.causal:
            score = score.masked_fill(~causal_mask(score.shape[-1], score.device), float("-inf"))
        return score.softmax(-1)

    def _within(self, x: Tensor) -> Tensor:
        """Round to an activation; beyond its range there is no gradient.

        Scores that saturate and still learn run away: digits lost 2 to 6 points (docs/log.md).
        """
        return self.round(clamp(x, ACTIVATION_BITS))

    def _below(self, score: Tensor) -> Tensor:
        """Return by how much each score is less than the largest that its query sees."""
        tokens = score.shape[-1]
        visible = causal_mask(tokens, score.device)
        hidden = ~visible if self.causal else torch.zeros_like(visible)
        top = score.masked_fill(hidden, -SCORES).amax(-1, keepdim=True)
        return (top - score).masked_fill(hidden, 0)

    @property
    def multiplier(self) -> int:
        """M of Eq. 22."""
        return int(self.gain * 2.0**self.shift + 0.5)

    @property
    def shift(self) -> int:
        """S of Eq. 22: the largest with which m has 15 bits at most."""
        return next(s for s in range(30, 0, -1) if int(self.gain * 2.0**s + 0.5) < 2**15)

    def table(self) -> Tensor:
        """Return the exponentials of Eq. 23, or 25, int64 [256]."""
        if self.literal:
            return torch.from_numpy(shift_exponential(SCORE_STEP))
        below = torch.arange(SCORES, dtype=torch.float64)
        return round_half_up(TABLE_TOP * torch.exp(-SCORE_STEP * below)).long()

    def _look_up(self, below: Tensor) -> Tensor:
        weight = self.table().to(below.device)[below]
        return weight.tril() if self.causal else weight

    def _shiftmax(self, weight: Tensor) -> Tensor:
        total = weight.sum(-1, keepdim=True).clamp_max(LIMIT)
        inverse = torch.div(torch.full_like(total, LIMIT), total, rounding_mode="floor")
        return (weight * inverse) >> (31 - SHIFTMAX_BITS)

    def attend(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        parts = {"query": self.query, "key": self.key, "value": self.value}
        out = {name: part.integers(x, shift, ACTIVATION_BITS) for name, part in parts.items()}
        return out | {"mixed": self._mix(**out)}

    def _mix(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        products = integer_matmul(self.split(query), self.split(key).transpose(-1, -2))
        score = requantize(products, torch.tensor(self.multiplier), self.shift, ACTIVATION_BITS)
        weight = self._look_up(self._below(score))
        if not self.literal:
            return self.weighted_sum(weight, value, int(self.table()[0]))
        sums = integer_matmul(self._shiftmax(weight), self.split(value))
        one = torch.ones((), dtype=torch.int64)
        return join_heads(requantize(sums, one, SHIFTMAX_BITS, ACTIVATION_BITS))  # Eq. 25

    def export(self, shift: int) -> golden.SoftmaxAttention:
        return golden.SoftmaxAttention(
            **self.common(shift),
            query=self.query.export(shift),
            key=self.key.export(shift),
            multiplier=self.multiplier,
            shift=self.shift,
            exponential=self.config.exponential,
            table=integer_array(self.table()),
        )
