"""Classes are the labels that occur, named by them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutformer.errors import LutformerError

__all__ = ["MAX_CLASSES", "DataError", "classes_of", "named_classes", "texts_as_classes"]

MAX_CLASSES = 4096


class DataError(LutformerError):
    """A dataset that is missing, damaged or of no use."""


def classes_of(labels: Sequence[NDArray[Any]]) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Return the integers that occur in ``labels``, as classes, in ascending order.

    Parameters
    ----------
    labels : sequence of integer arrays [inputs]
        Of each part of a dataset.

    Returns
    -------
    list of int64 [inputs], tuple of str
        Classes from 0, and the label of each as its name.

    Raises
    ------
    DataError
        If there is one class only, or more than :data:`MAX_CLASSES`.
    """
    parts = [np.unique(part, return_inverse=True) for part in labels]
    # As Python integers: arrays of uint64 and int64 have no common integer type.
    values = sorted({int(value) for occurring, _ in parts for value in occurring})
    _check(len(values))
    number = {value: n for n, value in enumerate(values)}
    classes = [
        np.array([number[int(value)] for value in occurring], np.int64)[inverse.reshape(-1)]
        for occurring, inverse in parts
    ]
    return classes, tuple(map(str, values))


def named_classes(
    labels: Sequence[NDArray[Any]], names: tuple[str, ...]
) -> list[NDArray[np.int64]]:
    """Return ``labels`` as the classes that ``names`` lists, counted from 0.

    Raises
    ------
    DataError
        If a label is beyond the names.
    """
    _check(len(names))
    least = min(int(part.min()) for part in labels)
    most = max(int(part.max()) for part in labels)
    if least < 0 or most >= len(names):
        wrong = least if least < 0 else most
        raise DataError(
            f"label {wrong} has no name: class_names holds {len(names)}, for labels 0 to "
            f"{len(names) - 1}"
        )
    return [part.astype(np.int64) for part in labels]


def texts_as_classes(
    labels: Sequence[Sequence[str]],
) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Return the texts that occur in ``labels`` as classes: numbers by value, then the others.

    ``1`` and ``1.0`` are one class, by the shortest of its spellings.
    """
    spellings: dict[tuple[float, str], set[str]] = {}
    for text in {text for part in labels for text in part}:
        spellings.setdefault(_key(text), set()).add(text)
    _check(len(spellings))
    keys = sorted(spellings)
    number = {key: n for n, key in enumerate(keys)}
    names = tuple(min(spellings[key], key=lambda text: (len(text), text)) for key in keys)
    return [np.array([number[_key(text)] for text in part], np.int64) for part in labels], names


def _key(label: str) -> tuple[float, str]:
    """Order finite numbers by value, and all other labels after them by text."""
    try:
        value = float(label)
    except ValueError:
        value = math.inf
    return (value, "") if math.isfinite(value) else (math.inf, label)


def _check(classes: int) -> None:
    if classes < 2:
        raise DataError("its labels are all of one class: there is nothing to tell apart")
    if classes > MAX_CLASSES:
        raise DataError(
            f"it has {classes} different labels, more than {MAX_CLASSES} classes: "
            "are they measurements or row numbers?"
        )
