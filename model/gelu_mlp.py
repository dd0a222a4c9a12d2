"""Golden integer model of the int8 GELU MLP, the baseline (docs/math.md, Eq. 35)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arithmetic import ACTIVATION_BITS, RESIDUAL_BITS
from .linear import Linear, scaled_linear
from .mlp import Mlp, mlp
from .storage.part import check

__all__ = ["GeluMlp", "activate"]

ENTRIES = 1 << ACTIVATION_BITS


@dataclass(frozen=True, kw_only=True, eq=False)
class GeluMlp(Mlp):
    """Two linear layers and a table between them.

    Attributes
    ----------
    hidden : Linear [F, D]
    table : int8 [256]
        Activation of each hidden value from -128 to 127.
    output : Linear [D, F]
    """

    hidden: Linear
    table: NDArray[Any]
    output: Linear

    def __post_init__(self) -> None:
        table = self.freeze("table", np.int8, 1)
        check(len(table) == ENTRIES, f"GeluMlp.table must have {ENTRIES} entries, not {len(table)}")
        shape, found = self.hidden.weight.shape[::-1], self.output.weight.shape
        check(found == shape, f"GeluMlp.output must have shape {shape}, not {found}")

    @property
    def width(self) -> int:
        """D, channels of the residual stream."""
        return self.output.out_features


def activate(layer: GeluMlp, x: ArrayLike) -> NDArray[np.int8]:
    """Look up hidden values int8 [...] (Eq. 35)."""
    return layer.table[np.asarray(x, np.int64) + ENTRIES // 2]


@mlp.register
def _(layer: GeluMlp, x: ArrayLike, shift: int) -> dict[str, NDArray[Any]]:
    hidden = scaled_linear(layer.hidden, x, shift, ACTIVATION_BITS)
    active = activate(layer, hidden)
    increment = scaled_linear(layer.output, active, shift, RESIDUAL_BITS)
    return {"hidden": hidden, "active": active, "increment": increment}
