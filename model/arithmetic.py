"""Integer primitives that every golden component is composed of (docs/math.md, section 1)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ACTIVATION_BITS",
    "RECIPROCAL_BITS",
    "RESIDUAL_BITS",
    "bit_length",
    "clamp",
    "divide",
    "matmul",
    "reciprocal",
    "requantize",
    "signed_width",
]

Integers = NDArray[np.int64]

ACTIVATION_BITS = 8
"""Width of an activation: layer norm outputs, values, attention outputs."""
RESIDUAL_BITS = 16
"""Width of the residual stream."""
RECIPROCAL_BITS = 12
"""rho, significant bits of every reciprocal."""


def clamp(x: ArrayLike, bits: int) -> Integers:
    """Saturate to a signed word of ``bits`` bits (Eq. 1)."""
    return np.clip(np.asarray(x, np.int64), -(1 << bits - 1), (1 << bits - 1) - 1)


def requantize(acc: ArrayLike, multiplier: ArrayLike, shift: ArrayLike, bits: int) -> Integers:
    """Scale by ``multiplier / 2**shift``, round half up, saturate to ``bits`` bits (Eq. 2)."""
    shift = np.asarray(shift, np.int64)
    product = np.asarray(acc, np.int64) * np.asarray(multiplier, np.int64)
    return clamp(product + (np.int64(1) << shift - 1) >> shift, bits)


def bit_length(x: ArrayLike) -> Integers:
    """Return the number of bits of each non-negative integer below ``2**53``; 0 has none."""
    return np.frexp(np.asarray(x, np.float64))[1].astype(np.int64)


def signed_width(low: int, high: int) -> int:
    """Return the bits of the narrowest signed word that holds ``low`` to ``high``."""
    return (
        max((~low if low < 0 else low).bit_length(), (~high if high < 0 else high).bit_length()) + 1
    )


def reciprocal(s: ArrayLike, width: int) -> tuple[Integers, Integers]:
    """Return ``(r, z)``: 1/s as ``r * 2**z / 2**(width - 1 + rho)`` (Eq. 3).

    ``s`` lies in ``[1, 2**width)``; ``z`` counts its leading zeros in ``width`` bits, ``r`` is an
    unsigned word of rho = :data:`RECIPROCAL_BITS` bits with its top bit set.
    """
    s = np.asarray(s, np.int64)
    z = width - bit_length(s)
    return ((np.int64(1) << width - 1 + RECIPROCAL_BITS) - 1) // (s << z), z


def divide(a: ArrayLike, s: ArrayLike, width: int) -> Integers:
    """Return ``a / s`` as an activation (Eq. 14): ``|a| <= 128 * s`` and ``0 < s < 2**width``."""
    r, z = reciprocal(s, width)
    return requantize(a, r, width - 1 + RECIPROCAL_BITS - z, ACTIVATION_BITS)


def matmul(a: ArrayLike, b: ArrayLike) -> Integers:
    """Multiply integer matrices exactly, at the speed of the floating-point library.

    Raises
    ------
    OverflowError
        If a sum could leave the range in which float64 holds every integer.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    bound = np.abs(a).max(initial=0) * np.abs(b).max(initial=0) * a.shape[-1]
    if bound >= 1 << 53:
        raise OverflowError(f"Matrix product must stay below 2**53, not reach {bound:.3g}")
    return (a @ b).astype(np.int64)
