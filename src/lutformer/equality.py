"""The trained model against the golden run: every integer of every image."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import LutformerError
from .model.golden import golden
from .model.network import Network

__all__ = ["Equality", "NotEqual", "compare"]

BATCH = 64


class NotEqual(LutformerError):
    """Two runs that must make the same integers do not."""


@dataclass(frozen=True, kw_only=True)
class Equality:
    """What was compared."""

    images: int
    integers: int
    mismatches: int
    where: str = ""
    """Name of the first array that differs."""


def compare(
    integers: Callable[[NDArray[np.uint8]], dict[str, NDArray[np.integer]]],
    network: Network,
    images: NDArray[np.uint8],
    progress: Callable[[int], None] = lambda done: None,
) -> Equality:
    """Compare what ``integers`` returns for batches of images with the golden run of ``network``.

    Both must name the same arrays of the same shapes; a difference in that counts every integer.
    """
    compared = mismatches = 0
    where = ""
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        truth, other = golden(network, batch).integers, integers(batch)
        for name in {**truth, **other}:
            wrong, size = _differences(truth.get(name), other.get(name))
            compared += size
            mismatches += wrong
            where = where or (name if wrong else "")
        progress(min(start + BATCH, len(images)))
    return Equality(images=len(images), integers=compared, mismatches=mismatches, where=where)


def _differences(a: NDArray[np.integer] | None, b: NDArray[np.integer] | None) -> tuple[int, int]:
    """Return how many integers differ, of how many."""
    if a is None or b is None or a.shape != b.shape:
        size = max(x.size for x in (a, b) if x is not None)
        return size, size
    return int(np.count_nonzero(a.astype(np.int64) != b.astype(np.int64))), a.size
