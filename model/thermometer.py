"""Golden integer model of the thermometer encoder (docs/math.md, Eq. 15)."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .storage.part import Part, check

__all__ = ["Thermometer", "thermometer"]


class Thresholds(Protocol):
    """The thresholds of an encoder, [D, B]."""

    @property
    def thresholds(self) -> NDArray[Any]: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Thermometer(Part):
    """Thresholds of every channel, ascending.

    Attributes
    ----------
    thresholds : int8 [D, B]
    """

    thresholds: NDArray[Any]

    def __post_init__(self) -> None:
        thresholds = self.freeze("thresholds", np.int8, 2).astype(np.int64)
        check(bool((np.diff(thresholds, axis=1) >= 0).all()), "Thermometer.thresholds must ascend")

    @property
    def bits(self) -> int:
        """Number of output bits, D * B."""
        return self.thresholds.size


def thermometer(layer: Thresholds, x: ArrayLike) -> NDArray[np.uint8]:
    """Encode [..., D] to bits [..., D * B]: bit c*B + k is ``x_c > threshold_ck`` (Eq. 15)."""
    bits = np.asarray(x)[..., None] > layer.thresholds
    return bits.reshape(*bits.shape[:-2], -1).astype(np.uint8)
