"""Golden integer model of the embedding of tokens (docs/math.md, Eq. 38)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arithmetic import RESIDUAL_BITS, Integers, clamp
from .storage.part import Part, check

__all__ = ["TokenEmbedding", "embed_tokens"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenEmbedding(Part):
    """A vector for each token, and one for each position if positions are learned.

    Attributes
    ----------
    token : int16 [V, D]
    position : int16 [positions, D]
        Of as many positions as the context has, or of none.
    """

    token: NDArray[Any]
    position: NDArray[Any]

    def __post_init__(self) -> None:
        width = self.freeze("token", np.int16, 2).shape[1]
        found = self.freeze("position", np.int16, 2, empty=True).shape[1]
        check(found == width, f"TokenEmbedding.position must have {width} channels, not {found}")

    @property
    def positions(self) -> int:
        """Number of positions; 0 if a token does not know its own."""
        return len(self.position)


def embed_tokens(layer: TokenEmbedding, tokens: Integers, start: int = 0) -> Integers:
    """Return the first residual stream, int16 [..., n, D], of tokens [..., n] (Eq. 38).

    The first of them is at position ``start``.
    """
    x = layer.token[tokens].astype(np.int64)
    if layer.positions:
        x = x + layer.position[start : start + tokens.shape[-1]]
    return clamp(x, RESIDUAL_BITS)
