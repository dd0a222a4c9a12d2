"""Layer norm without gain and bias, twin of ``model/layer_norm.py`` (docs/math.md, Eq. 6 to 9)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS, RESIDUAL_BITS
from ..layer_norm import ROOT_BITS
from .arithmetic import bit_length, reciprocal, requantize
from .quantizer import ACTIVATION_FRACTION, ACTIVATION_STEP, Ramp

__all__ = ["LayerNorm", "inverse_root"]


def inverse_root(u: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Return ``(r, shift)``: ``1/sqrt(u)`` as ``r / 2**shift`` for ``u < 2**width`` (Eq. 7, 8)."""
    u = u.clamp_min(1)
    half = (width - bit_length(u)) >> 1  # Eq. 7
    top = (u << (2 * half)) >> (width - 2 * ROOT_BITS)
    root = torch.sqrt(top.double()).long()  # exact: the argument is below 2**24
    inverse, _ = reciprocal(root, ROOT_BITS)  # Eq. 8
    return inverse, RECIPROCAL_BITS - 1 + width // 2 - half


class LayerNorm(nn.Module):
    """Residual units in, activation units out.

    Parameters
    ----------
    width : int
        D, channels.
    ramp : Ramp or None
        None leaves the output real (the float twin).
    """

    def __init__(self, width: int, ramp: Ramp | None) -> None:
        super().__init__()
        self.width, self.ramp = width, ramp
        spread = width**2 // 4 * (2**RESIDUAL_BITS - 1) ** 2
        self.variance_width = max((spread.bit_length() + 1) // 2 * 2, 2 * ROOT_BITS)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.layer_norm(x, (self.width,), eps=1e-2) / ACTIVATION_STEP
        return y if self.ramp is None else self.ramp.round(y, ACTIVATION_BITS)

    def integers(self, x: Tensor) -> Tensor:
        """Normalise int64 [..., D]."""
        total = x.sum(-1, keepdim=True)
        centred = self.width * x - total
        spread = self.width * (x * x).sum(-1, keepdim=True) - total * total  # Eq. 6
        inverse, shift = inverse_root(spread, self.variance_width)
        return requantize(centred, inverse, shift - ACTIVATION_FRACTION, ACTIVATION_BITS)  # Eq. 9
