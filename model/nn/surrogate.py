"""Slopes of lookup tables along their address bits, for training.

All surrogates are weighted sums of the differences ``entry[a | l] - entry[a & ~l]`` over the
addresses ``a`` of a table, l being the bit; the weight falls with the Hamming distance H between
``a`` and the address in use, bit l not counted. The weights of one slope sum to 1, or to 1/2 in
the exponential form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor

__all__ = ["SURROGATES", "Surrogate", "SurrogateGradient"]

Surrogate = Literal["exponential", "efd", "fd", "hybrid"]

STEEPNESS = 4.0
"""Of the logistic in the hybrid surrogate: its largest slope is 1, as of the straight-through."""


def _exponential(distance: Tensor, others: int) -> Tensor:
    """Weigh by ``0.5 * 0.75**(n - 1) * 3**-H``, as the release of DWN does.

    It is half the gradient of the table's multilinear extension at the point that has 3/4 for
    each address bit 1 and 1/4 for each 0.
    """
    return 0.5 * 0.75**others * 3.0**-distance


def _extended(distance: Tensor, others: int) -> Tensor:
    """Weigh by ``1 / (H + 1)``, the Extended Finite Difference of the DWN paper, normalised.

    Not normalised, the weights of a slope would sum to ``(2**n - 1) / n``: 10.5 for n = 6.
    """
    fan_in = others + 1
    return fan_in / (2.0**fan_in - 1) / (distance + 1)


def _plain(distance: Tensor, others: int) -> Tensor:
    """Only the two entries that differ in bit l alone."""
    return (distance == 0).to(distance.dtype)


def _identity(tables: Tensor) -> Tensor:
    return tables


def _logistic(tables: Tensor) -> Tensor:
    return torch.sigmoid(STEEPNESS * tables)


def _one(tables: Tensor) -> Tensor:
    return torch.ones((), dtype=tables.dtype, device=tables.device)


def _logistic_slope(tables: Tensor) -> Tensor:
    level = _logistic(tables)
    return STEEPNESS * level * (1 - level)


@dataclass(frozen=True)
class SurrogateGradient:
    """The surrogate gradient of a lookup table.

    Attributes
    ----------
    weight : callable
        Of distances H and n - 1.
    level : callable
        From entries to what differences are taken of.
    entry_slopes : callable
        From entries to the slope of ``level``.
    """

    weight: Callable[[Tensor, int], Tensor]
    level: Callable[[Tensor], Tensor] = _identity
    entry_slopes: Callable[[Tensor], Tensor] = _one

    def slopes(self, tables: Tensor) -> Tensor:
        """Return the slope of real tables [N, 2**n] along address bit l at a, [n, N, 2**n]."""
        return self.level(tables) @ _matrices(tables.shape[1], self.weight).to(tables)


SURROGATES: dict[Surrogate, SurrogateGradient] = {
    "exponential": SurrogateGradient(_exponential),
    "efd": SurrogateGradient(_extended),
    "fd": SurrogateGradient(_plain),
    # The output counts as the probability of a 1, linear in each address bit: at addresses of 0
    # and 1 its slope is the plain difference of two probabilities.
    "hybrid": SurrogateGradient(_plain, _logistic, _logistic_slope),
}
assert tuple(SURROGATES) == get_args(Surrogate)


@cache
def _matrices(entries: int, weight: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Return the linear map [n, from entry, to slope at address]."""
    address = torch.arange(entries)
    matrices = []
    for place in range(entries.bit_length() - 1):
        bit = 1 << place
        others = (address[:, None] ^ address) & ~bit
        distance = sum((others >> p & 1).double() for p in range(entries.bit_length() - 1))
        sign = torch.where(address & bit > 0, 1.0, -1.0)
        matrices.append(sign[:, None] * weight(torch.as_tensor(distance), entries.bit_length() - 2))
    return torch.stack(matrices)
