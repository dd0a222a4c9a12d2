"""Training of a network and of the float twin that it is measured against."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import out
from .errors import UsageError
from .model.config.transformer import Recipe, TrainConfig, VitConfig
from .model.data.images import Dataset
from .model.data.table import Table
from .model.data.text import Text
from .workspace import writable, write_text

if TYPE_CHECKING:
    from .model.nn.network.vit import VisionTransformer
    from .model.nn.training.checkpoint import FamilyConfig
    from .model.nn.training.train import TrainResult

__all__ = [
    "TWIN_RATES",
    "TWIN_RECORD",
    "Extras",
    "load_teacher",
    "train_alone",
    "train_beside_twin",
    "train_network",
    "train_twin",
    "twin_record",
]

TWIN_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
"""Learning rates tried for the twin, on training images held out for that (docs/log.md)."""

TWIN_RECORD = "twin.json"


@dataclass(frozen=True, kw_only=True)
class Extras:
    """Options of training besides the network.

    Attributes
    ----------
    twin : bool
        Whether to train its float twin as well.
    teacher : Path or None
        Checkpoint of a float twin to learn from.
    """

    twin: bool = False
    teacher: Path | None = None


def train_alone(
    config: "FamilyConfig",
    recipe: Recipe,
    data: Dataset | Table | Text,
    directory: Path,
    extras: Extras,
    threads: int = 1,
    *,
    reason: str,
) -> "TrainResult":
    """Train a network of a family without twins and teachers; ``reason`` refuses them.

    Raises
    ------
    UsageError
        If there are extras.
    """
    if extras.twin or extras.teacher:
        raise UsageError(reason)
    return train_network(config, recipe, data, writable(directory), threads=threads)


def train_beside_twin(
    config: VitConfig,
    recipe: TrainConfig,
    data: Dataset,
    directory: Path,
    extras: Extras,
    threads: int = 1,
) -> "TrainResult":
    """Train a vision transformer, its float twin before it if that is asked for."""
    teacher = load_teacher(extras.teacher, config, recipe)
    writable(directory)
    if extras.twin:
        record = train_twin(config, recipe, data, directory, threads=threads)
        out.print(f"Float twin: {record['accuracy']:.2%} with learning rate {record['lr']:g}")
    return train_network(config, recipe, data, directory, threads=threads, teacher=teacher)


def load_teacher(
    path: Path | None, model: VitConfig, recipe: TrainConfig
) -> "VisionTransformer | None":
    """Return the float twin at ``path`` whose attention ``model`` learns from; None for none.

    Raises
    ------
    UsageError
        If ``recipe.distill`` wants one and there is none, or the reverse, or it does not fit.
    CheckpointError
        If the file cannot be used.
    """
    from .model.nn.network.vit import VisionTransformer
    from .model.nn.training.checkpoint import load_checkpoint
    from .model.nn.training.distillation import check_teacher

    teacher = load_checkpoint(path).build() if path else None
    if teacher is not None and not isinstance(teacher, VisionTransformer):
        raise UsageError(f"{path} holds no vision transformer whose attention could be learned")
    check_teacher(model, recipe, teacher.config if teacher else None)
    return teacher


def train_network(
    model: "FamilyConfig",
    recipe: Recipe,
    data: Dataset | Table | Text,
    directory: Path,
    *,
    threads: int = 1,
    teacher: "VisionTransformer | None" = None,
) -> "TrainResult":
    """Train (or resume) in ``directory``, with a progress bar.

    One thread is the quickest for networks of this size (more spend their time waiting for each
    other), and makes the weights independent of the machine's number of cores.
    """
    import torch

    from .model.nn.training.train import progress_bar, train

    torch.set_num_threads(threads)
    with progress_bar() as bar:
        return train(model, recipe, data, directory, bar, teacher=teacher)


def train_twin(
    model: VitConfig, recipe: TrainConfig, data: Dataset, directory: Path, *, threads: int = 1
) -> dict[str, Any]:
    """Train the float twin of ``model`` with its own learning rate; record it in ``directory``.

    Each rate of :data:`TWIN_RATES` trains as long as the network itself, on three quarters of the
    training images; the best on the last quarter trains again on all of them. The test images
    have no part in the choice.
    """
    import torch

    from .model.nn.training.search import search_rate
    from .model.nn.training.train import progress_bar, train

    torch.set_num_threads(threads)
    shape, recipe = model.float_twin(), replace(recipe, distill=0.0)  # it has no teacher itself
    with progress_bar() as bar:
        found = search_rate(shape, recipe, data, TWIN_RATES, bar)
        best = replace(recipe, lr=found.best)
        final = train(shape, best, data, directory / "twin", bar, name="float twin")
    record = {
        "accuracy": final.test_accuracy,
        "images": len(data.test_labels),
        "lr": found.best,
        "validation": {f"{rate:g}": score for rate, score in found.accuracy.items()},
        "epochs": recipe.epochs,
        "data": data.fingerprint,
    }
    write_text(directory / TWIN_RECORD, json.dumps(record, indent=2) + "\n")
    return record


def twin_record(directory: Path, data: str) -> dict[str, Any] | None:
    """Return the record of :func:`train_twin` for data of that fingerprint, or None."""
    try:
        record = json.loads((directory / TWIN_RECORD).read_text())
    except (OSError, ValueError):
        return None
    return record if record.get("data") == data else None
