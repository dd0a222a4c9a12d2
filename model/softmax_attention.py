"""Golden integer model of softmax attention, the int8 baseline (docs/math.md, Eq. 22 to 25)."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arithmetic import ACTIVATION_BITS, Integers, matmul, requantize
from .attention import (
    Attention,
    KVCache,
    attend,
    causal_mask,
    join_heads,
    split_heads,
    weighted_sum,
)
from .linear import Linear, scaled_linear
from .storage.part import check

__all__ = [
    "SCORES",
    "SHIFTMAX_BITS",
    "SoftmaxAttention",
    "mix_softmax",
    "scores",
    "shift_exponential",
    "shiftmax",
]

SCORES = 1 << ACTIVATION_BITS
"""Differences that two scores of 8 bits can have; entries of the table."""
SHIFTMAX_BITS = 15
"""n of I-ViT's shift exponential, and fractional bits of its probabilities."""
LIMIT = (1 << 31) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftmaxAttention(Attention):
    """Projections, score scale and exponentials of one attention layer.

    Attributes
    ----------
    query, key : Linear [heads * key_width, D]
    multiplier, shift : int
        m and s of Eq. 2 that bring a scalar product to the 8 bits of a score.
    exponential : "table" or "shiftmax"
        Normalise after the sum over the values, or literally as I-ViT does: before.
    table : uint32 [256]
        Exponential of each difference to the row's largest score, not increasing; the first is
        positive.
    """

    query: Linear
    key: Linear
    multiplier: int
    shift: int
    table: NDArray[Any]
    exponential: Literal["table", "shiftmax"] = "table"

    def __post_init__(self) -> None:
        super().__post_init__()
        rows = self.query.out_features
        shape = (max(rows // self.heads, 1) * self.heads, self.width)
        self.require_shape("query", self.query, shape)
        self.require_shape("key", self.key, (rows, self.width))
        self.require(
            1 <= self.multiplier < 1 << 15,
            f"multiplier must be 1 to {(1 << 15) - 1}, not {self.multiplier!r}",
        )
        self.require(1 <= self.shift <= 30, f"shift must be 1 to 30, not {self.shift!r}")
        self.require(
            self.exponential in ("table", "shiftmax"),
            f"exponential must be table or shiftmax, not {self.exponential!r}",
        )
        table = self.freeze("table", np.uint32, 1)
        self.require(len(table) == SCORES, f"table must have {SCORES} entries, not {len(table)}")
        top = 20 if self.exponential == "shiftmax" else 16
        steps = np.diff(table.astype(np.int64))
        self.require(
            bool((steps <= 0).all()) and 1 <= int(table[0]) < 1 << top,
            f"table must not increase from an entry of 1 to {(1 << top) - 1}",
        )

    @property
    def key_width(self) -> int:
        """Elements of a head's query."""
        return self.query.out_features // self.heads

    @property
    def largest(self) -> int:
        """The largest possible weight."""
        return int(self.table[0])


def scores(layer: SoftmaxAttention, query: NDArray[Any], key: NDArray[Any]) -> Integers:
    """Return the scaled scalar products, int8 [..., heads, m, n] (Eq. 22)."""
    q, k = split_heads(query, layer.heads), split_heads(key, layer.heads)
    products = matmul(q, k.swapaxes(-1, -2))
    return requantize(products, layer.multiplier, layer.shift, ACTIVATION_BITS)


def shift_exponential(step: float) -> NDArray[np.int64]:
    """Return I-ViT's exponential of 0, -1, ... -255 scores of size ``step``, ``2**-15`` * step.

    Literally what the released code computes (arXiv 2207.01405; docs/math.md, Eq. 25).

    Raises
    ------
    ValueError
        If ``step`` is not in [2**-5, 1].
    """
    check(2.0**-5 <= step <= 1, f"Shiftmax needs a score step of 2**-5 to 1, not {step!r}")
    n, x = SHIFTMAX_BITS, -np.arange(SCORES, dtype=np.int64)
    unit = int(np.floor(-1 / step))
    x = np.maximum(x + (x >> 1) - (x >> 4), n * unit)
    whole = x // unit
    rest = x - unit * whole
    return np.maximum(rest - 2 * unit << n - whole >> 1, 0)


def shiftmax(exponential: Integers) -> Integers:
    """Return I-ViT's probabilities of rows of exponentials, ``2**-15`` a step (Eq. 25)."""
    total = np.minimum(exponential.sum(-1, keepdims=True), LIMIT)
    return exponential * (LIMIT // total) >> 31 - SHIFTMAX_BITS


def mix_softmax(
    layer: SoftmaxAttention, query: NDArray[Any], key: NDArray[Any], value: NDArray[Any]
) -> Integers:
    """Return the mixed values, int8 [..., m, heads * C].

    ``query`` holds int8 [..., m, heads * C] of the last m of n tokens, ``key`` and ``value`` of
    all.
    """
    score = scores(layer, query, key)
    shape = score.shape[-2:]
    visible = causal_mask(*shape) if layer.causal else np.ones(shape, bool)
    top = np.where(visible, score, -SCORES).max(-1, keepdims=True)
    weight = layer.table[np.where(visible, top - score, 0)].astype(np.int64) * visible  # Eq. 23
    if layer.exponential == "table":
        return weighted_sum(layer, weight, value, layer.largest)  # Eq. 24
    sums = matmul(shiftmax(weight), split_heads(value, layer.heads))
    return join_heads(requantize(sums, 1, SHIFTMAX_BITS, ACTIVATION_BITS))  # Eq. 25


@attend.register
def _(layer: SoftmaxAttention, x: ArrayLike, shift: int, cache: KVCache) -> dict[str, NDArray[Any]]:
    out = {
        name: scaled_linear(part, x, shift, ACTIVATION_BITS)
        for name, part in (("query", layer.query), ("key", layer.key), ("value", layer.value))
    }
    key, value = cache.extend(key=out["key"], value=out["value"])
    return out | {"mixed": mix_softmax(layer, out["query"], key, value)}
