"""The common part of all attention layers in training, twin of ``model/attention.py``."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .. import attention as golden
from ..arithmetic import ACTIVATION_BITS, RESIDUAL_BITS
from ..config.transformer import BlockConfig
from .arithmetic import divide, integer_matmul
from .linear import INITIAL_STD, Linear
from .quantizer import ACTIVATION_STEP, RESIDUAL_STEP, Ramp

__all__ = ["Attention", "causal_mask", "distances", "join_heads", "split_heads"]


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Reshape [..., n, heads * w] to [..., heads, n, w]."""
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def join_heads(x: Tensor) -> Tensor:
    """Reshape [..., heads, n, w] to [..., n, heads * w]."""
    return x.transpose(-2, -3).flatten(-2)


def distances(tokens: int, device: torch.device) -> Tensor:
    """Return ``|i - j|`` for each pair of tokens, int64 [n, n]."""
    place = torch.arange(tokens, device=device)
    return (place[:, None] - place).abs()


def causal_mask(tokens: int, device: torch.device) -> Tensor:
    """Return which tokens j a token i of a causal layer sees, bool [n, n]."""
    return torch.ones(tokens, tokens, dtype=torch.bool, device=device).tril()


class Attention(nn.Module, ABC):
    """Normalised tokens in, residual increments out.

    A subclass makes the parameters of its scores, then calls :meth:`add_values`.

    Parameters
    ----------
    config : BlockConfig
        A head's values are D / H wide. With weights "float" nothing but codes is quantised.
    ramp : Ramp

    Attributes
    ----------
    watch : callable or None
        Called in training with each attention map [..., heads, n, n]; see ``attention_maps``.
    """

    watch: Callable[[Tensor], None] | None = None

    def __init__(self, config: BlockConfig, ramp: Ramp) -> None:
        super().__init__()
        self.config, self.ramp = config, ramp
        self.heads, self.causal = config.heads, config.causal
        self.rounded = config.weights != "float"

    def project(
        self,
        rows: int,
        *,
        input_step: float = ACTIVATION_STEP,
        output_step: float | None = ACTIVATION_STEP,
        std: float = INITIAL_STD,
    ) -> Linear:
        """Return a projection of D channels; to signs alone if ``output_step`` is None."""
        return Linear(
            self.config.dim,
            rows,
            kind=self.config.weights,
            ramp=self.ramp,
            input_step=input_step,
            output_step=output_step,
            std=std,
        )

    def add_values(self, output_std: float) -> None:
        """Make the projections to and from the values."""
        self.value = self.project(self.config.dim)
        self.output = self.project(self.config.dim, output_step=RESIDUAL_STEP, std=output_std)

    def forward(self, x: Tensor) -> Tensor:
        value = split_heads(self.round(self.value(x)), self.heads)
        mixed = self.round(join_heads(self.mixed(x, value)))
        return self.round(self.output(mixed), RESIDUAL_BITS)

    def round(self, x: Tensor, bits: int = ACTIVATION_BITS) -> Tensor:
        """Round to ``bits`` bits as far as the ramp has come."""
        return self.ramp.round(x, bits) if self.rounded else x

    def split(self, x: Tensor) -> Tensor:
        """Reshape [..., n, heads * w] to [..., heads, n, w]."""
        return split_heads(x, self.heads)

    def show(self, weight: Tensor) -> None:
        """Show observers the share of each key in a query's attention."""
        if self.watch is not None:
            self.watch(weight / weight.sum(-1, keepdim=True))

    @abstractmethod
    def mixed(self, x: Tensor, value: Tensor) -> Tensor:
        """Return mixed values [..., heads, n, C] of tokens [..., n, D] and values of that shape.

        Calls :meth:`show` with the weights [..., heads, n, n].
        """

    @abstractmethod
    def attend(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return every integer by its name in the golden run, ``mixed`` last, of int64 tokens."""

    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return what :meth:`attend` does, and the residual ``increment``."""
        out = self.attend(x, shift)
        return out | {"increment": self.output.integers(out["mixed"], shift, RESIDUAL_BITS)}

    def weighted_sum(self, weight: Tensor, value: Tensor, largest: int) -> Tensor:
        """Return the normalised sums of int64 values [..., n, heads * C] (Eq. 13, 14)."""
        if self.causal:
            weight = weight.tril()
        v = self.split(value)
        width = (largest * v.shape[-2]).bit_length()
        return join_heads(divide(integer_matmul(weight, v), weight.sum(-1, keepdim=True), width))

    @abstractmethod
    def export(self, shift: int) -> golden.Attention:
        """Return the integer layer; ``shift`` is s of Eq. 2.

        :meth:`common` has the fields that all layers have.
        """

    def common(self, shift: int) -> dict[str, Any]:
        """Return the fields of :class:`lutformer.model.attention.Attention`."""
        return {
            "heads": self.heads,
            "value": self.value.export(shift),
            "output": self.output.export(shift),
            "causal": self.causal,
        }
