"""How well networks tell classes apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..console import progress
from .answers import Answers
from .unit import Unit

__all__ = ["accuracy_sentence", "classification"]

BATCH = 256


def classification(
    answers: Callable[[NDArray[Any]], Answers],
    inputs: NDArray[Any],
    labels: NDArray[np.integer],
    classes: int,
) -> dict[str, Any]:
    """Return the record of accuracy and confusions (rows by true class) over all inputs."""
    found = []
    with progress("accuracy", len(inputs)) as advance:
        for start in range(0, len(inputs), BATCH):
            found.append(answers(inputs[start : start + BATCH]).classes)
            advance(min(start + BATCH, len(inputs)))
    said = np.concatenate(found)
    confusion = np.zeros((classes, classes), int)
    np.add.at(confusion, (labels, said), 1)
    return {
        "integer": float((said == labels).mean()),
        "images": len(said),
        "confusion": confusion.tolist(),
    }


def accuracy_sentence(accuracy: float, inputs: int, unit: Unit) -> str:
    """Return the accuracy on so many held-out inputs as a sentence."""
    noun = unit.singular if inputs == 1 else unit.plural
    return f"Accuracy on {inputs} held-out {noun}: {accuracy:.2%}"
