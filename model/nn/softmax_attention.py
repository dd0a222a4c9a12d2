"""Ordinary attention in floating point: the twin that accuracy is compared with."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .hamming_attention import join_heads, split_heads
from .linear import Kind, Linear
from .quantizer import ACTIVATION_STEP, RESIDUAL_STEP, Ramp

__all__ = ["SoftmaxAttention"]


class SoftmaxAttention(nn.Module):
    """Scaled scalar products; normalised tokens in, residual increments out.

    Parameters
    ----------
    width, heads : int
    kind : "ternary", "int8" or "float"
        Of the weights; activations stay real.
    ramp : Ramp
    output_std : float
    """

    def __init__(
        self, width: int, heads: int, *, kind: Kind, ramp: Ramp, output_std: float
    ) -> None:
        super().__init__()
        self.heads = heads
        self.projection = Linear(width, 3 * width, kind=kind, ramp=ramp, input_step=ACTIVATION_STEP)
        self.output = Linear(
            width,
            width,
            kind=kind,
            ramp=ramp,
            input_step=1.0,
            output_step=RESIDUAL_STEP,
            std=output_std,
        )

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            split_heads(part, self.heads) for part in torch.chunk(self.projection(x), 3, dim=-1)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.output(join_heads(mixed))
