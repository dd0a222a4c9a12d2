"""Golden integer model of the conditional summation (docs/math.md, Eq. 17)."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .arithmetic import Integers, matmul, signed_width
from .storage.part import Part, check

__all__ = ["ConditionalSum", "conditional_sum"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConditionalSum(Part):
    """Weights that each set bit adds to every channel; no multiplication.

    Attributes
    ----------
    weight : int8 [D, N], or [D, N / D] if ``grouped``
        In [-1, 1] if ``kind`` is ``"ternary"``, in [-127, 127] if ``"int8"``.
    bias : int32 [D]
    shift : int
        Left shift that brings the sum to the unit of the residual stream, 0 to 15.
    grouped : bool
        Whether each channel sums bits of its own, N / D contiguous ones, instead of all.
    """

    kind: Literal["ternary", "int8"]
    weight: NDArray[Any]
    bias: NDArray[Any]
    shift: int
    grouped: bool = False

    def __post_init__(self) -> None:
        kinds = ("ternary", "int8")
        check(self.kind in kinds, f"ConditionalSum.kind must be ternary or int8, not {self.kind!r}")
        weight, bias = self.freeze("weight", np.int8, 2), self.freeze("bias", np.int32, 1)
        check(bias.shape == weight.shape[:1], "ConditionalSum.bias must have one entry a channel")
        top = 1 if self.kind == "ternary" else 127
        largest = int(np.abs(weight.astype(np.int64)).max())
        check(
            largest <= top,
            f"ConditionalSum.weight must lie in [-{top}, {top}], not reach {largest}",
        )
        check(0 <= self.shift <= 15, f"ConditionalSum.shift must be 0 to 15, not {self.shift!r}")

    @property
    def channels(self) -> int:
        """D."""
        return self.weight.shape[0]

    @property
    def inputs(self) -> int:
        """N, bits that are read."""
        return self.weight.size if self.grouped else self.weight.shape[1]

    @property
    def accumulator_width(self) -> int:
        """Signed width that no combination of bits can overflow, at any step."""
        reach = np.abs(self.weight.astype(np.int64)).sum(1) + np.abs(self.bias.astype(np.int64))
        bound = int(reach.max())
        return signed_width(-bound, bound)


def conditional_sum(layer: ConditionalSum, bits: NDArray[Any]) -> Integers:
    """Return the residual increment [..., D] of bits [..., N] (Eq. 17; after QuWeiT)."""
    if layer.grouped:
        own = bits.reshape(*bits.shape[:-1], *layer.weight.shape)
        return (own * layer.weight.astype(np.int64)).sum(-1) + layer.bias << layer.shift
    return matmul(bits, layer.weight.T) + layer.bias << layer.shift
