"""Golden integer model of attention by Hamming distance (docs/math.md, Eq. 10 to 14)."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arithmetic import ACTIVATION_BITS, Integers, matmul
from .attention import Attention, KVCache, attend, causal_mask, distances, split_heads, weighted_sum
from .linear import Linear, linear, scaled_linear

__all__ = [
    "ALIBI_FRACTION",
    "MAX_CODE_BITS",
    "POWER_TOP",
    "HammingAttention",
    "codes",
    "hamming_distance",
    "hamming_weights",
    "mix",
    "top_k",
]

MAX_CODE_BITS = 64
ALIBI_FRACTION = 8
"""Fractional bits of exponents: of the penalty for distance, and of powers of two."""
POWER_TOP = 15
"""Exponent of the largest weight that is a power of two."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HammingAttention(Attention):
    """Projections and score table of one attention layer.

    Attributes
    ----------
    code_bits : int
        T.
    query, key : Linear [heads * code_bits, D]
        Only the sign of the accumulator is used; multipliers are 0.
    weighting : "table" or "power"
        Whether ``table`` holds weights, or exponents of powers of two.
    table : uint16 [heads, code_bits + 1]
        Of each Hamming distance. "table": the weight of a key, at least 1. "power": by how much
        the weight's exponent is less than the largest, ``2**-8`` a step.
    alibi : uint16 [heads]
        What each position between query and key takes from the exponent, ``2**-8`` a step.
    top_k : int
        N, how many of the nearest keys have a weight; 0 for all.
    """

    code_bits: int
    query: Linear
    key: Linear
    table: NDArray[Any]
    alibi: NDArray[Any] = field(metadata={"key": "penalty"})
    weighting: Literal["table", "power"] = "table"
    top_k: int = field(default=0, metadata={"key": "keep"})

    def __post_init__(self) -> None:
        super().__post_init__()
        heads, bits = self.heads, self.code_bits
        self.require(
            1 <= bits <= MAX_CODE_BITS,
            f"code_bits must be between 1 and {MAX_CODE_BITS}, not {bits!r}",
        )
        self.require(
            self.weighting in ("table", "power"),
            f"weighting must be table or power, not {self.weighting!r}",
        )
        table = self.freeze("table", np.uint16, 2)
        shape = (heads, bits + 1)
        self.require(table.shape == shape, f"table must have shape {shape}, not {table.shape}")
        self.require(
            self.weighting == "power" or int(table.min()) >= 1,
            "table must hold entries of at least 1, not 0",
        )
        penalty = self.freeze("alibi", np.uint16, 1)
        self.require(len(penalty) == heads, f"alibi must have {heads} entries, one a head")
        self.require(self.top_k >= 0, f"top_k must be at least 0, not {self.top_k!r}")
        for name, layer in (("query", self.query), ("key", self.key)):
            self.require_shape(name, layer, (heads * bits, self.width))

    @property
    def largest(self) -> int:
        """The largest possible weight."""
        return 1 << POWER_TOP if self.weighting == "power" else int(self.table.max())


def codes(layer: Linear, x: ArrayLike) -> NDArray[np.uint8]:
    """Return the sign bits of a projection, 1 where ``acc >= 0``: [..., rows] (Eq. 10)."""
    return (linear(layer, x) >= 0).astype(np.uint8)


def hamming_distance(query: NDArray[Any], key: NDArray[Any], heads: int) -> Integers:
    """Return in how many bits each query differs from each key, [..., heads, m, n] (Eq. 11)."""
    q, k = split_heads(query, heads), split_heads(key, heads).swapaxes(-1, -2)
    return matmul(q, 1 - k) + matmul(1 - q, k)


def top_k(differ: Integers, count: int, causal: bool) -> NDArray[np.bool_]:
    """Return which keys are among a query's ``count`` nearest, the first of equals (Eq. 12)."""
    queries, tokens = differ.shape[-2:]
    order = differ * tokens + np.arange(tokens)  # distinct, and in the order of preference
    if causal:
        order = np.where(causal_mask(queries, tokens), order, order.max() + 1)
    limit = np.sort(order, axis=-1)[..., min(count, tokens) - 1, None]
    return order <= limit


def hamming_weights(layer: HammingAttention, differ: Integers) -> Integers:
    """Return the weight of each key at its Hamming distance, [..., heads, m, n] (Eq. 12)."""
    heads = np.arange(layer.heads)[:, None, None]
    entry = layer.table[heads, differ].astype(np.int64)
    penalty = layer.alibi[:, None, None] * distances(*differ.shape[-2:])
    half = 1 << ALIBI_FRACTION - 1
    if layer.weighting == "power":
        exponent = POWER_TOP - (entry + penalty + half >> ALIBI_FRACTION)
        weight = np.int64(1) << np.maximum(exponent, 0)
    else:
        shift = np.minimum(penalty + half >> ALIBI_FRACTION, 16)
        weight = np.maximum(entry >> shift, 1)
    if layer.top_k:
        weight = np.where(top_k(differ, layer.top_k, layer.causal), weight, 0)
    return weight


def mix(
    layer: HammingAttention, query: NDArray[Any], key: NDArray[Any], value: NDArray[Any]
) -> Integers:
    """Return the normalised weighted sums of the values, int8 [..., m, heads * head_width].

    ``query`` holds bits [..., m, heads * T] of the last m of n tokens, ``key`` of all; ``value``
    int8 [..., n, heads * head_width].
    """
    weight = hamming_weights(layer, hamming_distance(query, key, layer.heads))
    return weighted_sum(layer, weight, value, layer.largest)


@attend.register
def _(layer: HammingAttention, x: ArrayLike, shift: int, cache: KVCache) -> dict[str, NDArray[Any]]:
    query, key = codes(layer.query, x), codes(layer.key, x)
    value = scaled_linear(layer.value, x, shift, ACTIVATION_BITS)
    mixed = mix(layer, query, *cache.extend(key=key, value=value))
    return {"query": query, "key": key, "value": value, "mixed": mixed}
