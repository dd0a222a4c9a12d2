"""Golden integer model of pooling the tokens into one (docs/math.md, Eq. 19)."""

import numpy as np
from numpy.typing import ArrayLike

from .arithmetic import Integers

__all__ = ["pool", "pool_shift"]


def pool_shift(tokens: int) -> int:
    """Return k, the shift that keeps the sum of ``tokens`` residuals in their width."""
    return (tokens - 1).bit_length()


def pool(x: ArrayLike) -> Integers:
    """Sum int16 [..., tokens, D] over tokens, scaled by ``2**-k``, half up (Eq. 19).

    Layer norm follows, which a common factor does not change, so nothing divides by the number
    of tokens.
    """
    x = np.asarray(x, np.int64)
    shift = pool_shift(x.shape[-2])
    return x.sum(-2) + (1 << shift >> 1) >> shift
