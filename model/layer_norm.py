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
from .storage.part import check

__all__ = ["ROOT_BITS", "LayerNormConfig", "inverse_root", "layer_norm"]

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


def inverse_root(u: ArrayLike, width: int) -> tuple[Integers, Integers]:
    """Return ``(r, shift)``: ``1/sqrt(u)`` as ``r / 2**shift`` (Eq. 7, 8).

    ``u`` lies in ``[0, 2**width)``, ``width`` is even and at least 2 * kappa; 0 counts as 1.
    """
    u = np.maximum(np.asarray(u, np.int64), 1)
    e = (width - bit_length(u)) // 2  # Eq. 7
    top = (u << 2 * e) >> width - 2 * ROOT_BITS
    root = np.sqrt(top.astype(np.float64)).astype(np.int64)  # exact: below 2**24
    r, _ = reciprocal(root, ROOT_BITS)  # Eq. 8; the root has its top bit set, so z = 0
    return r, RECIPROCAL_BITS - 1 + width // 2 - e


def layer_norm(config: LayerNormConfig, x: ArrayLike) -> Integers:
    """Normalise int16 [..., D] to int8 [..., D] of unit variance, ``2**-fraction`` a step."""
    x = np.asarray(x, np.int64)
    s1 = x.sum(-1, keepdims=True)
    u = config.width * (x * x).sum(-1, keepdims=True) - s1 * s1  # Eq. 6
    r, shift = inverse_root(u, config.variance_width)
    return requantize(config.width * x - s1, r, shift - config.fraction, ACTIVATION_BITS)  # Eq. 9
