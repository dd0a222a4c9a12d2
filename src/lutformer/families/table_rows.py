"""Rows of features in files, brought to the words that a weightless classifier takes."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model.network.weightless_classifier import WeightlessClassifier
from .readers import ARRAYS, read_file

__all__ = ["read_rows"]


def read_rows(path: Path, network: WeightlessClassifier) -> NDArray[np.int64]:
    """Return the words [rows, features] of a file.

    An ``.npy`` file holds one row or several, an ``.npz`` file several in its first array, images
    by their raw pixels. A ``.csv`` file has a header and a column for each feature.

    Raises
    ------
    UsageError
        If the file cannot be read or its rows do not suit the network.
    """
    features = network.encoder.features
    array = read_file(path, {**ARRAYS, ".csv": _csv}, "file of numbers")
    rows = array[None] if array.size == features else array
    if rows.dtype.kind not in "iuf" or not len(rows) or rows[0].size != features:
        raise UsageError(
            f"{str(path)!r} is of shape {array.shape} and type {array.dtype}; the network takes "
            f"rows of {features} numbers"
        )
    try:
        return network.encoder.words(rows.reshape(len(rows), features))
    except ValueError as error:
        raise UsageError(f"{str(path)!r}: {error}") from error


def _csv(path: Path) -> NDArray[Any]:
    return np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
