"""Golden integer model of a linear layer and of its requantisation (docs/math.md, Eq. 4, 5)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arithmetic import ACTIVATION_BITS, Integers, matmul, requantize, signed_width
from .storage.part import Part, check

__all__ = ["MULTIPLIER_BITS", "Linear", "linear", "scaled_linear"]

MULTIPLIER_BITS = 16
"""Width of the signed word that holds a multiplier (which is positive)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Part):
    """Weights of ``acc = bias + W x``.

    Attributes
    ----------
    weight : int8 [out_features, in_features]
        In [-1, 1] if ``kind`` is ``"ternary"``, in [-127, 127] if ``"int8"``.
    bias : int32 [out_features]
        In units of the accumulator.
    multiplier : int32 [out_features]
        m of Eq. 2 for each row, in [0, 2**15); all 0 where only the accumulator is read.
    """

    kind: Literal["ternary", "int8"]
    weight: NDArray[Any]
    bias: NDArray[Any]
    multiplier: NDArray[Any]

    def __post_init__(self) -> None:
        check(
            self.kind in ("ternary", "int8"),
            f"Linear.kind must be ternary or int8, not {self.kind!r}",
        )
        rows = self.freeze("weight", np.int8, 2).shape[0]
        bias, multiplier = self.freeze("bias", np.int32, 1), self.freeze("multiplier", np.int32, 1)
        check(
            bias.shape == multiplier.shape == (rows,),
            f"Linear.bias and Linear.multiplier must have {rows} entries, one a row",
        )
        top = 1 if self.kind == "ternary" else 127
        largest = int(np.abs(self.weight.astype(np.int64)).max())
        check(largest <= top, f"Linear.weight must lie in [-{top}, {top}], not reach {largest}")
        limit = 1 << MULTIPLIER_BITS - 1
        check(
            bool((multiplier >= 0).all() and (multiplier < limit).all()),
            f"Linear.multiplier must lie in [0, {limit})",
        )

    @property
    def out_features(self) -> int:
        """Number of outputs."""
        return self.weight.shape[0]

    def part(self, first: int, end: int) -> "Linear":
        """Return a layer of the rows from ``first`` to before ``end``."""
        return Linear(
            kind=self.kind,
            weight=self.weight[first:end],
            bias=self.bias[first:end],
            multiplier=self.multiplier[first:end],
        )

    @property
    def in_features(self) -> int:
        """Number of inputs."""
        return self.weight.shape[1]

    @cached_property
    def accumulator_width(self) -> int:
        """Signed width that no input of :data:`ACTIVATION_BITS` bits can overflow, at any step."""
        reach = np.abs(self.weight.astype(np.int64)).sum(1) << ACTIVATION_BITS - 1
        bound = int((reach + np.abs(self.bias.astype(np.int64))).max())
        return signed_width(-bound, bound)


def linear(layer: Linear, x: ArrayLike) -> Integers:
    """Return ``bias + W x``: int8 [..., in_features] to [..., out_features] (Eq. 4)."""
    return matmul(x, layer.weight.T) + layer.bias


def scaled_linear(layer: Linear, x: ArrayLike, shift: int, bits: int) -> Integers:
    """Return the accumulators requantised row by row to ``bits`` bits (Eq. 5)."""
    return requantize(linear(layer, x), layer.multiplier, shift, bits)
