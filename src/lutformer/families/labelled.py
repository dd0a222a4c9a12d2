"""Held-out inputs of a network with their labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.data.images import Dataset
from ..model.data.table import Table

__all__ = ["Labelled"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """Inputs [inputs, ...] as the network reads them, and their classes [inputs].

    Attributes
    ----------
    name : str
        Of the data.
    """

    name: str
    inputs: NDArray[Any]
    labels: NDArray[np.integer]
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, data: Dataset | Table, inputs: NDArray[Any]) -> "Labelled":
        """Return ``inputs``, made from the held-out part of ``data``, with their classes."""
        return cls(
            name=data.name,
            inputs=inputs,
            labels=data.test_labels,
            class_names=data.class_names,
        )
