"""Training of a network and of the float twin that it is measured against."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import out
from .errors import UsageError
from .model.config import TrainConfig, VitConfig
from .model.data import Dataset, validation_split
from .workspace import write_text

if TYPE_CHECKING:
    from .model.nn.train import TrainResult

__all__ = ["TWIN_RATES", "TWIN_RECORD", "fit_to_data", "train_network", "train_twin", "twin_record"]

TWIN_RATES = (1e-3, 3e-3, 1e-2)
"""Learning rates tried for the twin, on a part of the training images held out for that."""

TWIN_RECORD = "twin.json"


def fit_to_data(model: VitConfig, data: Dataset) -> VitConfig:
    """Return ``model`` with the image size, channels and classes of ``data``."""
    height, width, channels = data.shape
    classes = len(data.class_names)
    try:
        return replace(model, height=height, width=width, channels=channels, classes=classes)
    except ValueError as error:
        raise UsageError(
            f"The network does not suit the images of {data.name}: {error}; change it with --set"
        ) from error


def train_network(
    model: VitConfig, recipe: TrainConfig, data: Dataset, directory: Path, name: str = "train"
) -> "TrainResult":
    """Train (or resume) in ``directory``, with a progress bar."""
    from .model.nn.train import progress_bar, train

    with progress_bar() as bar:
        return train(model, recipe, data, directory, bar, name=name)


def train_twin(
    model: VitConfig, recipe: TrainConfig, data: Dataset, directory: Path
) -> dict[str, Any]:
    """Train the float twin of ``model`` with its own learning rate; record it in ``directory``.

    Each rate of :data:`TWIN_RATES` trains as long as the network itself, on three quarters of the
    training images; the best on the last quarter trains again on all of them. The test images
    have no part in the choice.
    """
    shape = model.float_twin()
    ask = validation_split(data)
    scores = {}
    for rate in TWIN_RATES:
        folder = directory / "twin" / f"lr-{rate:g}"
        result = train_network(shape, replace(recipe, lr=rate), ask, folder, f"twin, lr {rate:g}")
        scores[rate] = result.test_accuracy
        out.print(f"lr {rate:g}: {result.test_accuracy:.2%} on the validation quarter")
    best = max(TWIN_RATES, key=lambda rate: scores[rate])
    final = train_network(shape, replace(recipe, lr=best), data, directory / "twin", "float twin")
    record = {
        "accuracy": final.test_accuracy,
        "images": len(data.test_labels),
        "lr": best,
        "validation": {f"{rate:g}": score for rate, score in scores.items()},
        "epochs": recipe.epochs,
        "data": data.fingerprint,
    }
    write_text(directory / TWIN_RECORD, json.dumps(record, indent=2) + "\n")
    return record


def twin_record(directory: Path, data: str) -> dict[str, Any] | None:
    """Return what :func:`train_twin` recorded for data of that fingerprint, or None."""
    try:
        record = json.loads((directory / TWIN_RECORD).read_text())
    except (OSError, ValueError):
        return None
    return record if record.get("data") == data else None
