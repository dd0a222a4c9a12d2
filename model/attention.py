"""The common part of all attention layers."""

from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arithmetic import Integers, divide, matmul
from .linear import Linear
from .storage.part import Part, check

__all__ = [
    "Attention",
    "KVCache",
    "attend",
    "causal_mask",
    "distances",
    "join_heads",
    "split_heads",
    "weighted_sum",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention(Part):
    """One attention layer.

    Attributes
    ----------
    heads : int
        H.
    value : Linear [heads * head_width, D]
    output : Linear [D, heads * head_width]
    causal : bool
        Whether token i sees the tokens up to i only.
    """

    heads: int
    value: Linear
    output: Linear
    causal: bool = False

    def __post_init__(self) -> None:
        heads = self.heads
        self.require(heads >= 1, f"heads must be at least 1, not {heads!r}")
        rows, width = self.value.weight.shape
        self.require_shape("value", self.value, (max(rows // heads, 1) * heads, width))
        self.require_shape("output", self.output, (width, rows))

    def require(self, condition: bool, message: str) -> None:
        """Raise ValueError with the name of the class and ``message`` unless ``condition``."""
        check(condition, f"{type(self).__name__}.{message}")

    def require_shape(self, name: str, layer: Linear, shape: tuple[int, int]) -> None:
        """Refuse a linear layer whose weights have another shape."""
        found = layer.weight.shape
        self.require(found == shape, f"{name} must have shape {shape}, not {found}")

    @property
    def width(self) -> int:
        """D, channels of the residual stream."""
        return self.value.in_features

    @property
    def endless(self) -> bool:
        """Whether a context needs no end: what is long past has faded."""
        return False

    @property
    def head_width(self) -> int:
        """C, value columns of one head."""
        return self.value.out_features // self.heads


@dataclass
class KVCache:
    """The state of a causal layer: earlier keys and values, or running sums; empty at first.

    Attributes
    ----------
    tokens : int
        How many.
    arrays : dict of str to array
        Keys and values [..., tokens, w], or running sums.
    """

    tokens: int = 0
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def extend(self, **new: NDArray[Any]) -> list[NDArray[Any]]:
        """Append the next tokens [..., n, w] to arrays; return the whole ones."""
        for name, x in new.items():
            old = self.arrays.get(name, x[..., :0, :])
            self.arrays[name] = np.concatenate([old, x], axis=-2)
        whole = [self.arrays[name] for name in new]
        self.tokens = whole[0].shape[-2]
        return whole


@singledispatch
def attend(layer: Attention, x: ArrayLike, shift: int, cache: KVCache) -> dict[str, NDArray[Any]]:
    """Return every integer of a layer by name, the mixed values last.

    Parameters
    ----------
    layer : Attention
    x : int8 [..., n, D]
        Normalised tokens.
    shift : int
        s of Eq. 2.
    cache : KVCache
        Empty unless the layer is causal and has seen tokens before; these are added to it.
    """
    raise TypeError(f"{type(layer).__name__} is no attention layer")


def split_heads(x: ArrayLike, heads: int) -> Integers:
    """Reshape [..., n, heads * w] to [..., heads, n, w]."""
    x = np.asarray(x, np.int64)
    return np.moveaxis(x.reshape(*x.shape[:-1], heads, -1), -2, -3)


def join_heads(x: Integers) -> Integers:
    """Reshape [..., heads, n, w] to [..., n, heads * w]."""
    x = np.moveaxis(x, -3, -2)
    return x.reshape(*x.shape[:-2], -1)


def distances(queries: int, keys: int) -> Integers:
    """Return ``|i - j|`` for each of the last ``queries`` of ``keys`` tokens, and each token."""
    place = np.arange(keys)
    return np.abs(place[keys - queries :, None] - place)


def causal_mask(queries: int, keys: int) -> NDArray[np.bool_]:
    """Return which tokens each of the last ``queries`` of ``keys`` sees in a causal layer."""
    return np.tri(queries, keys, keys - queries, dtype=bool)


def weighted_sum(
    layer: Attention, weight: Integers, value: NDArray[Any], largest: int
) -> NDArray[np.int64]:
    """Return the normalised weighted sums of the values, int8 [..., m, heads * C] (Eq. 13, 14).

    Parameters
    ----------
    layer : Attention
    weight : int [..., heads, m, n]
        Of the last m tokens; at least 0, and a row has at least one that is not.
    value : int8 [..., n, heads * C]
    largest : int
        What no weight exceeds.
    """
    if layer.causal:
        weight = weight * causal_mask(*weight.shape[-2:])
    v = split_heads(value, layer.heads)
    width = (largest * v.shape[-2]).bit_length()
    return join_heads(divide(matmul(weight, v), weight.sum(-1, keepdims=True), width))
