"""Golden integer model of layer norm without gain and bias (docs/math.md, Eq. 6 to 9)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arithmetic import (
    ACTIVATION_BITS,
    RECIPROCAL_BITS,
    RESIDUAL_BITS,
    Integers,
    bit_length,
    reciprocal,
    requantize,
    signed_width,
)
from .part import check

__all__ = ["ROOT_BITS", "LayerNormConfig", "layer_norm"]

ROOT_BITS = 12
"""kappa, significant bits of the square root."""


@dataclass(frozen=True, kw_only=True)
class LayerNormConfig:
    """Shape of one normalisation; read by the model, the RTL and the tests alike."""

    width: int  # D, channels
    fraction: int = 5  # f, fractional bits of the output

    def __post_init__(self) -> None:
        check(1 <= self.width <= 1024, f"Width must be between 1 and 1024, not {self.width!r}")
        top = ACTIVATION_BITS - 1
        check(
            0 <= self.fraction <= top,
            f"Fraction must be between 0 and {top}, not {self.fraction!r}",
        )

    @property
    def sum_width(self) -> int:
        """Signed width of S1 = sum of x."""
        return RESIDUAL_BITS + (self.width - 1).bit_length()

    @property
    def square_width(self) -> int:
        """Unsigned width of S2 = sum of x squared."""
        return (self.width << 2 * RESIDUAL_BITS - 2).bit_length()

    @property
    def variance_width(self) -> int:
        """Unsigned width of U = D*S2 - S1^2, rounded up to even; at least 2*kappa."""
        top = (self.width**2 // 4) * ((1 << RESIDUAL_BITS) - 1) ** 2
        return max(top.bit_length() + 1 & ~1, 2 * ROOT_BITS)

    @property
    def centred_width(self) -> int:
        """Signed width of D*x - S1."""
        bound = (self.width - 1) * ((1 << RESIDUAL_BITS) - 1)
        return signed_width(-bound, bound)

    @property
    def shift(self) -> int:
        """Shift of the last requantisation where the variance needs no normalising (e = 0)."""
        return RECIPROCAL_BITS - 1 + self.variance_width // 2 - self.fraction


def layer_norm(config: LayerNormConfig, x: ArrayLike) -> Integers:
    """Normalise int16 [..., D] to int8 [..., D] of unit variance, ``2**-fraction`` a step."""
    x = np.asarray(x, np.int64)
    s1 = x.sum(-1, keepdims=True)
    u = config.width * (x * x).sum(-1, keepdims=True) - s1 * s1  # Eq. 6
    wide = config.variance_width
    e = (wide - bit_length(np.maximum(u, 1))) // 2  # Eq. 7
    v = np.maximum(u, 1) << 2 * e
    root = np.sqrt((v >> wide - 2 * ROOT_BITS).astype(np.float64)).astype(
        np.int64
    )  # exact: < 2**24
    r, _ = reciprocal(root, ROOT_BITS)  # Eq. 8; the root has its top bit set, so z = 0
    return requantize(config.width * x - s1, r, config.shift - e, ACTIVATION_BITS)  # Eq. 9
