"""The trained model against the golden run: every integer of every input."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Equality", "Integers", "compare"]

BATCH = 64

Integers = Callable[[NDArray[Any]], dict[str, NDArray[np.integer]]]
"""From a batch of inputs to named integers."""


@dataclass(frozen=True, kw_only=True)
class Equality:
    """Counts of a comparison."""

    inputs: int
    integers: int
    mismatches: int
    where: str = ""
    """Name of the first array that differs."""


def compare(
    integers: Integers,
    truth: Integers,
    inputs: NDArray[Any],
    progress: Callable[[int], None] = lambda done: None,
) -> Equality:
    """Compare ``integers`` with ``truth``, the golden run, on batches of inputs.

    Both must name the same arrays of the same shapes; a difference in that counts every integer.
    """
    compared = mismatches = 0
    where = ""
    for start in range(0, len(inputs), BATCH):
        batch = inputs[start : start + BATCH]
        true, other = truth(batch), integers(batch)
        for name in {**true, **other}:
            wrong, size = _differences(true.get(name), other.get(name))
            compared += size
            mismatches += wrong
            where = where or (name if wrong else "")
        progress(min(start + BATCH, len(inputs)))
    return Equality(inputs=len(inputs), integers=compared, mismatches=mismatches, where=where)


def _differences(a: NDArray[np.integer] | None, b: NDArray[np.integer] | None) -> tuple[int, int]:
    """Return how many integers differ, of how many."""
    if a is None or b is None or a.shape != b.shape:
        size = max(x.size for x in (a, b) if x is not None)
        return size, size
    return int(np.count_nonzero(a.astype(np.int64) != b.astype(np.int64))), a.size
