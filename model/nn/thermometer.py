"""Thermometer encoder, twin of ``model/thermometer.py`` (docs/math.md, Eq. 15)."""

from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor, nn

from .quantizer import ACTIVATION_STEP

__all__ = ["Thermometer", "gaussian_thresholds"]


def gaussian_thresholds(bits: int) -> list[int]:
    """Return the quantiles that cut a standard normal into equal parts, in activation units."""
    quantiles = (NormalDist().inv_cdf((k + 1) / (bits + 1)) for k in range(bits))
    return [round(q / ACTIVATION_STEP) for q in quantiles]


class _Compare(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, thresholds: Tensor) -> Tensor:
        above = x[..., None] - thresholds
        ctx.save_for_backward(above)
        return (above > 0).to(x.dtype).flatten(-2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (above,) = ctx.saved_tensors
        near = above.abs() * ACTIVATION_STEP < 1
        return (grad.view_as(above) * near).sum(-1) * (ACTIVATION_STEP / 2), None


class Thermometer(nn.Module):
    """Fixed thresholds, the same for every channel; activations in, bits as 0.0 and 1.0 out.

    A bit's gradient is 1/2 within one standard deviation of its threshold, else 0.

    Parameters
    ----------
    width : int
        D, channels.
    bits : int
        B, bits for each.
    """

    def __init__(self, width: int, bits: int) -> None:
        super().__init__()
        thresholds = torch.tensor([gaussian_thresholds(bits)] * width, dtype=torch.int64)
        self.thresholds: Tensor
        self.register_buffer("thresholds", thresholds)

    def forward(self, x: Tensor) -> Tensor:
        return _Compare.apply(x, self.thresholds)  # type: ignore[return-value]

    def integers(self, x: Tensor) -> Tensor:
        """Encode int64 [..., D] to bits [..., D * B]."""
        return (x[..., None] > self.thresholds).long().flatten(-2)
