"""Thermometer encoder, twin of ``model/thermometer.py`` (docs/math.md, Eq. 15)."""

from statistics import NormalDist

import torch
from torch import Tensor, nn

from .quantizer import ACTIVATION_STEP, straight_through

__all__ = ["Thermometer", "gaussian_thresholds"]


def gaussian_thresholds(bits: int) -> list[int]:
    """Return the quantiles that cut a standard normal into equal parts, in activation units."""
    quantiles = (NormalDist().inv_cdf((k + 1) / (bits + 1)) for k in range(bits))
    return [round(q / ACTIVATION_STEP) for q in quantiles]


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
        above = x[..., None] - self.thresholds
        soft = (above * (ACTIVATION_STEP / 2) + 0.5).clamp(0, 1)
        return straight_through((above > 0).to(x.dtype), soft).flatten(-2)

    def integers(self, x: Tensor) -> Tensor:
        """Encode int64 [..., D] to bits [..., D * B]."""
        return (x[..., None] > self.thresholds).long().flatten(-2)
