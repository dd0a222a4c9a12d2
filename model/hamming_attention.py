"""Golden integer model of attention by Hamming distance (docs/math.md, Eq. 10 to 14)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS, Integers, matmul, reciprocal, requantize
from .linear import Linear, linear, scaled_linear
from .part import Part, check

__all__ = ["HammingAttention", "attend", "codes", "mix"]


@dataclass(frozen=True, kw_only=True, eq=False)
class HammingAttention(Part):
    """Projections and score table of one attention layer.

    Attributes
    ----------
    query, key : Linear [heads * code_bits, D]
        Only the sign of the accumulator is used; multipliers are 0.
    value : Linear [heads * head_width, D]
    output : Linear [D, heads * head_width]
    table : uint16 [heads, code_bits + 1]
        Weight of a key at each Hamming distance; entries at least 1.
    """

    heads: int
    code_bits: int
    query: Linear
    key: Linear
    value: Linear
    output: Linear
    table: NDArray[Any]

    def __post_init__(self) -> None:
        heads, bits = self.heads, self.code_bits
        check(heads >= 1, f"HammingAttention.heads must be at least 1, not {heads!r}")
        check(1 <= bits <= 64, f"HammingAttention.code_bits must be between 1 and 64, not {bits!r}")
        table = self.freeze("table", np.uint16, 2)
        check(
            table.shape == (heads, bits + 1),
            f"HammingAttention.table must have shape {(heads, bits + 1)}, not {table.shape}",
        )
        check(
            int(table.min()) >= 1, "HammingAttention.table must hold entries of at least 1, not 0"
        )
        width = self.query.columns
        shapes = {
            "query": ((heads * bits, width), self.query),
            "key": ((heads * bits, width), self.key),
            "value": ((self.value.rows // heads * heads, width), self.value),
            "output": ((width, self.value.rows), self.output),
        }
        for name, (shape, layer) in shapes.items():
            check(
                layer.weight.shape == shape,
                f"HammingAttention.{name} must have shape {shape}, not {layer.weight.shape}",
            )

    @property
    def head_width(self) -> int:
        """Value columns of one head."""
        return self.value.rows // self.heads

    @property
    def weight_width(self) -> int:
        """Unsigned width of a score table entry."""
        return int(self.table.max()).bit_length()

    def sum_width(self, tokens: int) -> int:
        """Unsigned width of the sum of one query's weights over ``tokens`` keys."""
        return (int(self.table.max()) * tokens).bit_length()


def codes(layer: Linear, x: ArrayLike) -> NDArray[np.uint8]:
    """Return the sign bits of a projection, 1 where ``acc >= 0``: [..., rows] (Eq. 10)."""
    return (linear(layer, x) >= 0).astype(np.uint8)


def mix(
    layer: HammingAttention, query: NDArray[Any], key: NDArray[Any], value: NDArray[Any]
) -> Integers:
    """Return the normalised weighted sums of the values, int8 [..., n, heads * head_width].

    ``query`` and ``key`` hold bits [..., n, heads * T], ``value`` int8
    [..., n, heads * head_width].
    """
    heads, tokens = layer.heads, value.shape[-2]

    def split(x: NDArray[Any]) -> NDArray[Any]:  # [..., n, heads * w] to [..., heads, n, w]
        x = x.reshape(*x.shape[:-1], heads, -1).astype(np.int64)
        return np.moveaxis(x, -2, -3)

    q, k, v = split(query), split(key), split(value)
    differ = matmul(q, 1 - k.swapaxes(-1, -2)) + matmul(1 - q, k.swapaxes(-1, -2))  # Eq. 11
    weight = layer.table[np.arange(heads)[:, None, None], differ].astype(np.int64)  # Eq. 12
    width = layer.sum_width(tokens)
    r, z = reciprocal(weight.sum(-1, keepdims=True), width)  # Eq. 13
    out = requantize(matmul(weight, v), r, width - 1 + RECIPROCAL_BITS - z, ACTIVATION_BITS)
    out = np.moveaxis(out, -3, -2)  # Eq. 14
    return out.reshape(*out.shape[:-2], -1)


def attend(layer: HammingAttention, x: ArrayLike, shift: int) -> tuple[NDArray[Any], ...]:
    """Return query bits, key bits, values and mixed values of tokens int8 [..., n, D]."""
    query, key = codes(layer.query, x), codes(layer.key, x)
    value = scaled_linear(layer.value, x, shift, ACTIVATION_BITS)
    return query, key, value, mix(layer, query, key, value)
