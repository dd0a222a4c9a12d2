"""Linear attention on binary codes, twin of ``model/linear_attention.py`` (Eq. 30 to 34)."""

import torch
from torch import Tensor, nn

from .. import linear_attention as golden
from ..arithmetic import ACTIVATION_BITS
from ..config.transformer import BlockConfig
from .arithmetic import divide, integer_array
from .attention import Attention, causal_mask, distances, join_heads
from .kernel_hash import KernelHash
from .linear import Linear
from .quantizer import Ramp
from .sign import sign_codes

__all__ = ["LinearAttention", "LinearHash"]

DECAY_FRACTION = 10
"""Fractional bits of running sums that decay."""
AND_BIAS = 0.01
"""What every key has in common with every query in the form ``and``."""
SPARSE_BIAS = -0.5
"""Initial bias of its codes, so that about a third of the bits are set."""


class LinearHash(nn.Module):
    """Codes by the signs of projections (Eq. 10), one for queries and keys or one for each.

    Parameters
    ----------
    projections : list of Linear
    heads : int
    estimator : str
    ramp : Ramp or None
        None for signs from the start.
    """

    def __init__(
        self, projections: list[Linear], heads: int, *, estimator: str, ramp: Ramp | None
    ) -> None:
        super().__init__()
        self.projections = nn.ModuleList(projections)
        self.heads, self.estimator, self.ramp = heads, estimator, ramp

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return codes [..., heads, n, b] in {-1, +1}, of each projection."""
        return tuple(
            sign_codes(part(x), self.estimator, self.ramp)
            .unflatten(-1, (self.heads, -1))
            .transpose(-2, -3)
            for part in self.projections
        )

    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return the bits ``query`` (and ``key``, unless shared) of int64 tokens."""
        return {
            name: (part.accumulate(x) >= 0).long()  # type: ignore[operator]
            for name, part in zip(("query", "key"), self.projections, strict=False)
        }

    def export(self, shift: int) -> golden.LinearHash:
        """Return the integer hash."""
        parts = tuple(part.export(shift) for part in self.projections)  # type: ignore[operator]
        return golden.LinearHash(projections=parts)


class LinearAttention(Attention):
    """Normalised tokens in, residual increments out; weights are products of codes of b bits.

    In training the weights are taken pair by pair; the integers are those of running sums.

    Parameters
    ----------
    config : BlockConfig
    ramp : Ramp
    output_std : float
        Initial standard deviation of the output projection.
    """

    def __init__(self, config: BlockConfig, ramp: Ramp, *, output_std: float) -> None:
        super().__init__(config, ramp)
        heads, bits = config.heads, config.code_bits
        self.bits, self.form = bits, config.form
        self.decays = self.form == "and" and self.causal
        self.fraction = DECAY_FRACTION if self.form == "and" else 0
        self.hash: LinearHash | KernelHash
        code_ramp = ramp if self.rounded else None
        if config.hash == "kernel" and self.form != "and":
            self.hash = KernelHash(
                self.project(config.dim),
                heads,
                config.anchors,
                bits,
                estimator=config.estimator,
                ramp=ramp,
                rounded=self.rounded,
            )
        else:
            count = 2 if self.form == "and" else 1
            std = config.dim**-0.5
            parts = [self.project(heads * bits, output_step=None, std=std) for _ in range(count)]
            self.hash = LinearHash(parts, heads, estimator=config.estimator, ramp=code_ramp)
            if self.form == "and":
                for part in parts:
                    nn.init.constant_(part.bias, SPARSE_BIAS)
        self.add_values(output_std)

    @property
    def bias(self) -> int:
        """B of Eq. 30."""
        if self.form == "and":
            return round(AND_BIAS * 2**self.fraction)
        return self.bits + 1

    @property
    def decay(self) -> Tensor:
        """Return s of each head, int64 [heads]."""
        head = torch.arange(self.heads)
        return (2 * head + 1).clamp_max(self.fraction + 1) if self.decays else 0 * head

    def mixed(self, x: Tensor, value: Tensor) -> Tensor:
        codes = self.hash(x)
        query, key = codes[0], codes[-1]
        weight = self._weights(query, key)
        self.show(weight)
        if self.form == "own":
            return self._own(weight, value)
        mixed = weight @ value / weight.sum(-1, keepdim=True)
        if not (self.decays and self.rounded) or self.ramp.value < 1:
            return mixed
        with torch.no_grad():
            bits = [(code > 0).long() for code in (query, key)]
            exact = self._divided(bits[0], bits[1], value.round().long())
        return self.ramp(mixed, exact.to(mixed.dtype))

    def _weights(self, query: Tensor, key: Tensor) -> Tensor:
        """Return the weight of each key for each query, [..., heads, n, n]."""
        tokens = query.shape[-2]
        if self.form == "and":
            query, key = (query + 1) / 2, (key + 1) / 2
        weight = query @ key.transpose(-1, -2) + self.bias / 2**self.fraction
        if self.decays:
            kept = 1 - 2.0 ** -self.decay.to(weight.device).double()
            weight = weight * (kept[:, None, None] ** distances(tokens, weight.device)).float()
        return weight * causal_mask(tokens, weight.device) if self.causal else weight

    def _own(self, weight: Tensor, value: Tensor) -> Tensor:
        visible = causal_mask(weight.shape[-1], weight.device).to(weight.dtype)
        shared = (visible if self.causal else torch.ones_like(visible)) * self.bias
        return ((weight - shared) @ value + self.bias * value) / weight.sum(-1, keepdim=True)

    def attend(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        out = self.hash.integers(x, shift)
        value = self.value.integers(x, shift, ACTIVATION_BITS)
        query, key = out["query"], out.get("key", out["query"])
        mixed = join_heads(self._divided(*map(self.split, (query, key, value))))
        return out | {"value": value, "mixed": mixed}

    def _divided(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return the mixed values of bits and int64 values [..., heads, n, w] (Eq. 30 to 34)."""
        if self.form != "and":
            query, key = 2 * query - 1, 2 * key - 1
        ones = torch.ones_like(value[..., :1])
        extended = torch.cat([value, ones], -1)
        query = torch.cat([query, ones], -1)
        key = torch.cat([key << self.fraction, self.bias * ones], -1)
        if self.causal:
            sums = self._running(query, key, extended)
        else:
            sums = query @ (key.transpose(-1, -2) @ extended)
        above = sums[..., :-1]
        if self.form == "own":
            every = value.cumsum(-2) if self.causal else value.sum(-2, keepdim=True)
            above = above + self.bias * (value - every)
        return divide(above, sums[..., -1:], self._sum_width(value.shape[-2]))

    def _running(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return each query's sums over the states of the tokens up to its own.

        In float64, which is quicker than int64 and holds every sum: they stay below 2**53.
        """
        share = 2.0 ** -self.decay.to(query.device).double()[:, None, None]
        query, key, value = (x.double().movedim(-2, 0) for x in (query, key, value))
        state = key.new_zeros(*key.shape[1:], value.shape[-1])
        lost, sums = torch.empty_like(state), []
        for q, k, v in zip(query, key, value, strict=True):
            if self.decays:
                torch.mul(state, share, out=lost)
                state -= lost.add_(0.5).floor_()  # as Eq. 30 shifts, halves up
            state.addcmul_(k[..., :, None], v[..., None, :])
            sums.append(q[..., None, :] @ state)
        return torch.cat(sums, -2).long()

    def _sum_width(self, tokens: int) -> int:
        """Return the width of the denominators."""
        shifts = self.decay.tolist()
        reach = max(min(tokens, (1 << s) + 1) if s else tokens for s in shifts)
        each = (self.bits << self.fraction) + max(self.bias, 1 << self.fraction)
        return (each * reach).bit_length()

    def export(self, shift: int) -> golden.LinearAttention:
        return golden.LinearAttention(
            **self.common(shift),
            hash=self.hash.export(shift),
            form=self.config.form,
            bias=self.bias,
            decay=integer_array(self.decay),
            fraction=self.fraction,
        )
