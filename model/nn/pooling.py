"""Pooling of the tokens into one, twin of ``model/pooling.py`` (docs/math.md, Eq. 19)."""

import math
from typing import Literal

from torch import Tensor, nn

from .quantizer import Ramp

__all__ = ["Pooling"]


class Pooling(nn.Module):
    """Residual stream [images, n, D] in, [images, D] out.

    Parameters
    ----------
    kind : "mean" or "class"
    ramp : Ramp or None
        None leaves the output real (the float twin).
    """

    def __init__(self, kind: Literal["mean", "class"], ramp: Ramp | None) -> None:
        super().__init__()
        self.kind, self.ramp = kind, ramp

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "class":
            return x[:, 0]
        mean = x.sum(1) / 2 ** math.ceil(math.log2(x.shape[1]))
        return mean if self.ramp is None else self.ramp.round(mean)

    def integers(self, x: Tensor) -> Tensor:
        """Pool int64 tokens."""
        if self.kind == "class":
            return x[:, 0]
        count = 2 ** math.ceil(math.log2(x.shape[1]))
        return (x.sum(1) + count // 2) // count
