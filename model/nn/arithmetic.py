"""Integer primitives on torch tensors (docs/math.md, section 1), apart from the golden ones."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS

__all__ = [
    "bit_length",
    "clamp",
    "divide",
    "integer_array",
    "integer_matmul",
    "reciprocal",
    "requantize",
    "round_half_up",
]


def round_half_up(x: Tensor) -> Tensor:
    """Round to the nearest integer, halves up, as a shift does it."""
    return torch.floor(x + 0.5)


def integer_array(x: Tensor) -> NDArray[np.int64]:
    """Return whole numbers as an int64 array of NumPy."""
    return x.detach().cpu().numpy().astype(np.int64)


def clamp(x: Tensor, bits: int) -> Tensor:
    """Saturate to a signed word of ``bits`` bits (Eq. 1)."""
    return x.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def requantize(acc: Tensor, multiplier: Tensor, shift: Tensor | int, bits: int) -> Tensor:
    """Scale int64 by ``multiplier / 2**shift``, round half up, saturate (Eq. 2)."""
    shift = torch.as_tensor(shift, device=acc.device)
    half = torch.ones_like(shift) << (shift - 1)
    return clamp((acc * multiplier + half) >> shift, bits)


def bit_length(x: Tensor) -> Tensor:
    """Return the number of bits of each integer in [0, 2**53)."""
    return torch.frexp(x.double()).exponent.long()


def reciprocal(v: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Return ``(r, z)`` of Eq. 3 for ``0 < v < 2**width``."""
    zeros = width - bit_length(v)
    top = 2 ** (width - 1 + RECIPROCAL_BITS) - 1
    return torch.div(torch.full_like(v, top), v << zeros, rounding_mode="floor"), zeros


def divide(a: Tensor, s: Tensor, width: int) -> Tensor:
    """Return ``a / s`` as an activation, ``0 < s < 2**width`` (Eq. 14)."""
    r, z = reciprocal(s, width)
    return requantize(a, r, width - 1 + RECIPROCAL_BITS - z, ACTIVATION_BITS)


def integer_matmul(a: Tensor, b: Tensor) -> Tensor:
    """Multiply int64 matrices by way of float64, which holds every sum below ``2**53``.

    Raises
    ------
    OverflowError
        If a sum could reach that.
    """
    bound = float(a.abs().max()) * float(b.abs().max()) * a.shape[-1]
    if bound >= 2**53:
        raise OverflowError(f"Matrix product must stay below 2**53, not reach {bound:.3g}")
    return (a.double() @ b.double()).long()
