"""Golden integer model of EcoFormer's kernel hash (docs/math.md, Eq. 26 to 29)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arithmetic import ACTIVATION_BITS, Integers, matmul, requantize
from .attention import join_heads, split_heads
from .layer_norm import ROOT_BITS, inverse_root
from .linear import Linear, scaled_linear
from .storage.part import Part, check

__all__ = ["COSINES", "MAX_ANCHORS", "KernelHash", "cosines", "kernel_codes", "kernel_hash"]

COSINES = 1 << ACTIVATION_BITS
"""Values of a cosine, entries of a kernel table."""
MAX_ANCHORS = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelHash(Part):
    """From normalised tokens to codes of b bits a head, the same for queries and keys.

    Attributes
    ----------
    project : Linear [heads * C, D]
        To one vector of C elements a head.
    anchors : int8 [heads, m, C]
        Vectors of length 127, rounded.
    table : int8 [heads, 256]
        The kernel at each cosine from -128 to 127.
    hash : int8 [heads, b, m]
    bias : int32 [heads, b]
    """

    project: Linear
    anchors: NDArray[Any]
    table: NDArray[Any]
    hash: NDArray[Any]
    bias: NDArray[Any]

    def __post_init__(self) -> None:
        heads, count, width = self.freeze("anchors", np.int8, 3).shape
        check(
            1 <= count <= MAX_ANCHORS,
            f"KernelHash needs 1 to {MAX_ANCHORS} anchors, not {count}",
        )
        check(
            bool(self.anchors.any(-1).all()),
            "KernelHash.anchors must not hold a zero vector: it has no direction",
        )
        table, hash_ = self.freeze("table", np.int8, 2), self.freeze("hash", np.int8, 3)
        bias = self.freeze("bias", np.int32, 2)
        check(
            table.shape == (heads, COSINES),
            f"KernelHash.table must have shape {(heads, COSINES)}, not {table.shape}",
        )
        check(
            min(int(self.anchors.min()), int(hash_.min())) >= -127,
            "KernelHash.anchors and hash must lie in [-127, 127]",
        )
        bits = hash_.shape[1]
        check(
            hash_.shape == (heads, bits, count) and bias.shape == (heads, bits),
            f"KernelHash.hash and bias must read {count} anchors of {heads} heads, "
            f"not be {hash_.shape} and {bias.shape}",
        )
        rows = self.project.out_features
        check(
            rows == heads * width,
            f"KernelHash.project must have {heads * width} rows, not {rows}",
        )

    @property
    def heads(self) -> int:
        """H."""
        return self.anchors.shape[0]

    @property
    def code_bits(self) -> int:
        """Bits of a code, b."""
        return self.hash.shape[1]

    @property
    def width(self) -> int:
        """D."""
        return self.project.in_features

    @property
    def square_width(self) -> int:
        """W, even width of the sum of squares of a head's vector; at least 2 * kappa."""
        largest = self.anchors.shape[2] << 2 * ACTIVATION_BITS - 2
        return max(largest.bit_length() + 1 & ~1, 2 * ROOT_BITS)


def cosines(layer: KernelHash, x: ArrayLike) -> Integers:
    """Return 127 times the cosine of vectors int8 [..., n, heads * C] with each anchor.

    Of shape [..., heads, n, m], int8 (Eq. 26, 27). A zero vector has cosine 0 with everything.
    """
    x = split_heads(x, layer.heads)
    products = matmul(x, layer.anchors.swapaxes(-1, -2))
    r, shift = inverse_root((x * x).sum(-1, keepdims=True), layer.square_width)
    return requantize(products, r, shift, ACTIVATION_BITS)


def kernel_codes(layer: KernelHash, x: ArrayLike) -> NDArray[np.uint8]:
    """Return the codes of projected vectors, bits [..., n, heads * b] (Eq. 26 to 29)."""
    heads = np.arange(layer.heads)[:, None, None]
    kernel = layer.table[heads, cosines(layer, x) + COSINES // 2].astype(np.int64)  # Eq. 28
    acc = matmul(kernel, layer.hash.swapaxes(-1, -2)) + layer.bias[:, None]
    return join_heads((acc >= 0).astype(np.int64)).astype(np.uint8)  # Eq. 29


def kernel_hash(layer: KernelHash, x: ArrayLike, shift: int) -> dict[str, NDArray[Any]]:
    """Return the projected vectors and their codes of normalised tokens int8 [..., n, D]."""
    projected = scaled_linear(layer.project, x, shift, ACTIVATION_BITS)
    return {"projected": projected, "query": kernel_codes(layer, projected)}
