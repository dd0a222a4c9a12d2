"""The trained model against the golden run: every integer of every input."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LutformerError
from ..model.network.golden import golden
from ..model.network.gpt import Gpt, gpt
from ..model.network.stored_network import StoredNetwork
from ..model.network.vit import Network
from ..model.network.weightless_classifier import WeightlessClassifier, weightless_classifier

__all__ = ["Equality", "Integers", "NotEqual", "compare", "golden_integers"]

BATCH = 64

Integers = Callable[[NDArray[Any]], dict[str, NDArray[np.integer]]]
"""From a batch of inputs to named integers."""


class NotEqual(LutformerError):
    """Two runs that must make the same integers do not."""


@dataclass(frozen=True, kw_only=True)
class Equality:
    """Counts of a comparison."""

    images: int
    """Or rows of a table, or blocks of a text."""
    integers: int
    mismatches: int
    where: str = ""
    """Name of the first array that differs."""


@singledispatch
def golden_integers(network: StoredNetwork, inputs: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
    """Return every integer of the golden run over images or words, by name."""
    raise TypeError(f"{type(network).__name__} has no golden run")


@golden_integers.register
def _(network: Network, inputs: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
    return golden(network, inputs).integers


@golden_integers.register
def _(network: WeightlessClassifier, inputs: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
    return weightless_classifier(network, inputs)


@golden_integers.register
def _(network: Gpt, inputs: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
    return gpt(network, inputs)


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
    return Equality(images=len(inputs), integers=compared, mismatches=mismatches, where=where)


def _differences(a: NDArray[np.integer] | None, b: NDArray[np.integer] | None) -> tuple[int, int]:
    """Return how many integers differ, of how many."""
    if a is None or b is None or a.shape != b.shape:
        size = max(x.size for x in (a, b) if x is not None)
        return size, size
    return int(np.count_nonzero(a.astype(np.int64) != b.astype(np.int64))), a.size
