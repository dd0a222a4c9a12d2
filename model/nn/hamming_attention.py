"""Attention by Hamming distance, twin of ``model/hamming_attention.py`` (Eq. 10 to 14)."""

import math

import torch
from torch import Tensor, nn

from ..arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS, RESIDUAL_BITS
from .arithmetic import integer_matmul, reciprocal, requantize, round_half_up
from .linear import INITIAL_STD, Kind, Linear
from .quantizer import ACTIVATION_STEP, RESIDUAL_STEP, Ramp, straight_through

__all__ = ["TABLE_TOP", "HammingAttention", "join_heads", "split_heads"]

TABLE_TOP = 2**10 - 1
"""Weight of a key at distance 0."""
INITIAL_TEMPERATURE = 2.0
"""c_h of Eq. 12 times the root of the code length, before training."""


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Reshape [..., n, heads * w] to [..., heads, n, w]."""
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def join_heads(x: Tensor) -> Tensor:
    """Reshape [..., heads, n, w] to [..., n, heads * w]."""
    return x.transpose(-2, -3).flatten(-2)


class HammingAttention(nn.Module):
    """Normalised tokens in, residual increments out.

    Parameters
    ----------
    width, heads, code_bits : int
        D, H and T; a head's values are D / H wide.
    kind : "ternary", "int8" or "float"
        Of the weights; with "float" nothing but the codes is quantised.
    ramp : Ramp
    output_std : float
        Initial standard deviation of the output projection.
    """

    def __init__(
        self, width: int, heads: int, code_bits: int, *, kind: Kind, ramp: Ramp, output_std: float
    ) -> None:
        super().__init__()
        self.heads, self.code_bits, self.ramp = heads, code_bits, ramp
        self.rounded = kind != "float"

        def project(rows: int, step: float, std: float) -> Linear:
            return Linear(
                width,
                rows,
                kind=kind,
                ramp=ramp,
                input_step=ACTIVATION_STEP,
                output_step=step,
                std=std,
            )

        self.query = project(heads * code_bits, 1.0, width**-0.5)
        self.key = project(heads * code_bits, 1.0, width**-0.5)  # only signs count
        self.value = project(width, ACTIVATION_STEP, INITIAL_STD)
        self.output = Linear(
            width,
            width,
            kind=kind,
            ramp=ramp,
            input_step=ACTIVATION_STEP,
            output_step=RESIDUAL_STEP,
            std=output_std,
        )
        temperature = INITIAL_TEMPERATURE / math.sqrt(code_bits)
        self.log_temperature = nn.Parameter(torch.full((heads,), math.log(temperature)))

    def forward(self, x: Tensor) -> Tensor:
        query, key = self._signs(self.query(x)), self._signs(self.key(x))
        distance = (self.code_bits - query @ key.transpose(-1, -2)) / 2
        weight = self._weights(distance)
        value = self.value(x)
        value = split_heads(self._round(value, ACTIVATION_BITS), self.heads)
        mixed = self._round(
            join_heads(weight @ value / weight.sum(-1, keepdim=True)), ACTIVATION_BITS
        )
        return self._round(self.output(mixed), RESIDUAL_BITS)

    def _signs(self, x: Tensor) -> Tensor:
        """Return codes in {-1, +1} with the gradient of hardtanh."""
        soft = x.clamp(-1, 1)
        hard = torch.where(x >= 0, 1.0, -1.0)
        codes = self.ramp(soft, hard) if self.rounded else straight_through(hard, soft)
        return split_heads(codes, self.heads)

    def _weights(self, distance: Tensor) -> Tensor:
        temperature = self.log_temperature.exp()[:, None, None]
        weight = TABLE_TOP * torch.exp(-2 * temperature * distance)
        return self.ramp(weight, round_half_up(weight).clamp_min(1)) if self.rounded else weight

    def _round(self, x: Tensor, bits: int) -> Tensor:
        return self.ramp.round(x, bits) if self.rounded else x

    def table(self) -> Tensor:
        """Return the weight of a key at each distance, int64 [heads, T + 1] (Eq. 12)."""
        distance = torch.arange(self.code_bits + 1, device=self.log_temperature.device).double()
        temperature = self.log_temperature.detach().double().exp()[:, None]
        return round_half_up(TABLE_TOP * torch.exp(-2 * temperature * distance)).long().clamp_min(1)

    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return ``query``, ``key``, ``value``, ``mixed`` and the residual ``increment``."""
        query = (self.query.accumulate(x) >= 0).long()  # Eq. 10
        key = (self.key.accumulate(x) >= 0).long()
        value = self.value.integers(x, shift, ACTIVATION_BITS)
        mixed = self._mix(query, key, value)
        return {
            "query": query,
            "key": key,
            "value": value,
            "mixed": mixed,
            "increment": self.output.integers(mixed, shift, RESIDUAL_BITS),
        }

    def _mix(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        table = self.table()
        q, k, v = (split_heads(x, self.heads) for x in (2 * query - 1, 2 * key - 1, value))
        distance = (self.code_bits - integer_matmul(q, k.transpose(-1, -2))) // 2  # Eq. 11
        rows = torch.arange(self.heads, device=table.device)[:, None, None]
        weight = table[rows, distance]  # Eq. 12
        width = int(table.max() * value.shape[-2]).bit_length()
        inverse, zeros = reciprocal(weight.sum(-1, keepdim=True), width)  # Eq. 13
        sums = integer_matmul(weight, v)
        shift = width - 1 + RECIPROCAL_BITS - zeros
        return join_heads(requantize(sums, inverse, shift, ACTIVATION_BITS))  # Eq. 14
