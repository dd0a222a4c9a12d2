"""Attention by Hamming distance, twin of ``model/hamming_attention.py`` (Eq. 10 to 14)."""

import math

import torch
from torch import Tensor, nn

from .. import hamming_attention as golden
from ..arithmetic import ACTIVATION_BITS
from ..config.transformer import BlockConfig
from ..hamming_attention import ALIBI_FRACTION, POWER_TOP
from .arithmetic import integer_array, integer_matmul, round_half_up
from .attention import Attention, causal_mask, distances
from .quantizer import Ramp
from .sign import sign_codes

__all__ = ["TABLE_TOP", "HammingAttention"]

TABLE_TOP = 2**10 - 1
"""Weight of a key at distance 0, if it is read from a table."""
INITIAL_TEMPERATURE = 2.0
"""c_h of Eq. 12 times the root of the code length, before training."""
UNIT = 2.0**ALIBI_FRACTION
MAX_ENTRY = 2**16 - 1


class HammingAttention(Attention):
    """Normalised tokens in, residual increments out; queries and keys are codes of T bits.

    Parameters
    ----------
    config : BlockConfig
    ramp : Ramp
    output_std : float
        Initial standard deviation of the output projection.
    """

    def __init__(self, config: BlockConfig, ramp: Ramp, *, output_std: float) -> None:
        super().__init__(config, ramp)
        heads, bits, std = config.heads, config.code_bits, config.dim**-0.5
        self.code_bits, self.power = bits, config.weighting == "power"
        self.query = self.project(heads * bits, output_step=None, std=std)
        self.key = self.project(heads * bits, output_step=None, std=std)
        self.add_values(output_std)
        temperature = INITIAL_TEMPERATURE / math.sqrt(bits)
        self.log_temperature = nn.Parameter(torch.full((heads,), math.log(temperature)))

    def mixed(self, x: Tensor, value: Tensor) -> Tensor:
        query, key = self._signs(self.query(x)), self._signs(self.key(x))
        weight = self._weights((self.code_bits - query @ key.transpose(-1, -2)) / 2)
        return weight @ value / weight.sum(-1, keepdim=True)

    def _signs(self, x: Tensor) -> Tensor:
        return self.split(sign_codes(x, self.config.estimator, self.ramp if self.rounded else None))

    def _weights(self, distance: Tensor) -> Tensor:
        """Return the weights [..., heads, n, n], rounded as far as the ramp has come."""
        temperature = self.log_temperature.exp()[:, None, None]
        far = distances(distance.shape[-1], distance.device)
        exponent = -2 * temperature * distance
        if self.config.alibi:
            exponent = exponent - math.log(2) * self.slopes()[:, None, None] / UNIT * far
        top = 2.0**POWER_TOP if self.power else TABLE_TOP
        weight = top * torch.exp(exponent)
        if self.rounded:
            with torch.no_grad():
                exact = self._rounded(2 * temperature * distance, far)
            weight = self.ramp(weight, exact)
        if self.causal:
            weight = weight * causal_mask(len(far), far.device)
        self.show(weight)  # of keys that are not kept too, so that they can come nearer
        if self.config.top_k:
            weight = weight * self._nearest(distance.detach().round().long())
        return weight

    def _rounded(self, loss: Tensor, far: Tensor) -> Tensor:
        """Return Eq. 12 for the natural exponents that distances take off, whole or not."""
        penalty = self.slopes()[:, None, None] * far + UNIT / 2
        if self.power:
            lost = torch.floor((round_half_up(UNIT / math.log(2) * loss) + penalty) / UNIT)
            return 2.0 ** (POWER_TOP - lost).clamp_min(0)
        entry = round_half_up(TABLE_TOP * torch.exp(-loss)).clamp_min(1)
        shift = torch.floor(penalty / UNIT).clamp_max(16)
        return torch.floor(entry / 2.0**shift).clamp_min(1)

    def slopes(self) -> Tensor:
        """Return the penalty of a position, in steps of the exponent, int64 [heads]."""
        head = torch.arange(self.heads, device=self.log_temperature.device)
        slopes = UNIT * 2.0 ** -(2 * head + 1).double()
        return round_half_up(slopes).long() if self.config.alibi else torch.zeros_like(head)

    def table(self) -> Tensor:
        """Return the score table of Eq. 12, int64 [heads, T + 1]."""
        distance = torch.arange(self.code_bits + 1, device=self.log_temperature.device).double()
        exponent = 2 * self.log_temperature.detach().double().exp()[:, None] * distance
        if self.power:
            return round_half_up(UNIT / math.log(2) * exponent).long().clamp_max(MAX_ENTRY)
        return round_half_up(TABLE_TOP * torch.exp(-exponent)).long().clamp_min(1)

    def _look_up(self, table: Tensor, distance: Tensor) -> Tensor:
        """Return the weight of each key at its Hamming distance, int64 (Eq. 12)."""
        rows = torch.arange(self.heads, device=table.device)[:, None, None]
        entry = table[rows, distance]
        half = 1 << (ALIBI_FRACTION - 1)
        penalty = self.slopes()[:, None, None] * distances(distance.shape[-1], table.device)
        if self.power:
            exponent = POWER_TOP - ((entry + penalty + half) >> ALIBI_FRACTION)
            return torch.ones_like(entry) << exponent.clamp_min(0)
        return (entry >> ((penalty + half) >> ALIBI_FRACTION).clamp_max(16)).clamp_min(1)

    def _nearest(self, distance: Tensor) -> Tensor:
        """Return which keys are among the nearest, the first of equals (Eq. 12)."""
        tokens = distance.shape[-1]
        order = distance * tokens + torch.arange(tokens, device=distance.device)
        if self.causal:
            order = order.masked_fill(
                ~causal_mask(tokens, order.device), (self.code_bits + 1) * tokens
            )
        limit = order.kthvalue(min(self.config.top_k, tokens), dim=-1, keepdim=True).values
        return order <= limit

    def attend(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        query = (self.query.accumulate(x) >= 0).long()  # Eq. 10
        key = (self.key.accumulate(x) >= 0).long()
        value = self.value.integers(x, shift, ACTIVATION_BITS)
        mixed = self._mix(query, key, value)
        return {"query": query, "key": key, "value": value, "mixed": mixed}

    def _mix(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        q, k = self.split(2 * query - 1), self.split(2 * key - 1)
        distance = (self.code_bits - integer_matmul(q, k.transpose(-1, -2))) // 2  # Eq. 11
        table = self.table()
        weight = self._look_up(table, distance)
        if self.config.top_k:
            weight = weight * self._nearest(distance)
        largest = 1 << POWER_TOP if self.power else int(table.max())
        return self.weighted_sum(weight, value, largest)

    def export(self, shift: int) -> golden.HammingAttention:
        return golden.HammingAttention(
            **self.common(shift),
            code_bits=self.code_bits,
            query=self.query.export(shift),
            key=self.key.export(shift),
            weighting=self.config.weighting,
            table=integer_array(self.table()),
            alibi=integer_array(self.slopes()),
            top_k=self.config.top_k,
        )
