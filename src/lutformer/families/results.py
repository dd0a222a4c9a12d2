"""Results of the golden run on inputs."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.network.golden import golden
from ..model.network.stored_network import StoredNetwork
from ..model.network.vit import Network
from ..model.network.weightless_classifier import WeightlessClassifier, weightless_classifier

__all__ = ["Answers", "golden_answers"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """Classes [inputs], and logits or counts [inputs, classes], as a board sends them."""

    classes: NDArray[np.integer]
    logits: NDArray[np.integer]


@singledispatch
def golden_answers(network: StoredNetwork, inputs: NDArray[Any]) -> Answers:
    """Return the answers to images or words."""
    raise TypeError(f"{type(network).__name__} has no classes")


@golden_answers.register(Network)
def _(network: Network, inputs: NDArray[Any]) -> Answers:
    run = golden(network, inputs)
    return Answers(classes=run.classes, logits=run.logits)


@golden_answers.register(WeightlessClassifier)
def _(network: WeightlessClassifier, inputs: NDArray[Any]) -> Answers:
    run = weightless_classifier(network, inputs)
    return Answers(classes=run["class"], logits=run["counts"])
