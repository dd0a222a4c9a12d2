"""Results of a classification."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Answers"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """Classes [inputs], and logits or counts [inputs, classes], as a board sends them."""

    classes: NDArray[np.integer]
    logits: NDArray[np.integer]
