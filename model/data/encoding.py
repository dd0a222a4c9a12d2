"""Choice of a thermometer's thresholds from the rows that it will encode."""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENCODINGS", "Rows", "distributive", "gaussian", "uniform"]

Rows = NDArray[np.float64]
"""[rows, features]"""


def uniform(rows: Rows, bits: int) -> Rows:
    """Cut the range of each feature into ``bits + 1`` equal parts; thresholds [features, bits]."""
    low, high = rows.min(0)[:, None], rows.max(0)[:, None]
    return low + np.arange(1, bits + 1) * (high - low) / (bits + 1)


def gaussian(rows: Rows, bits: int) -> Rows:
    """Cut a normal of each feature's mean and deviation into equally probable parts."""
    quantiles = [NormalDist().inv_cdf(k / (bits + 1)) for k in range(1, bits + 1)]
    deviation = rows.std(0, ddof=1) if len(rows) > 1 else np.zeros(rows.shape[1])
    return rows.mean(0)[:, None] + deviation[:, None] * np.array(quantiles)


def distributive(rows: Rows, bits: int) -> Rows:
    """Cut the rows, sorted by each feature, into equal parts: the value at ``int(N k / (B + 1))``.

    As the release of DWN does it (Bacellar et al., 2024).
    """
    places = [len(rows) * k // (bits + 1) for k in range(1, bits + 1)]
    return np.sort(rows, axis=0)[places].T


ENCODINGS: dict[str, Callable[[Rows, int], Rows]] = {
    "distributive": distributive,
    "gaussian": gaussian,
    "uniform": uniform,
}
"""By the names that a configuration uses."""
