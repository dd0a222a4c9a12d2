"""Training from scratch, of any family; stopped at any time, it can be resumed."""

import time
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import nn

from ...config.classifier import ClassifierConfig, ClassifierRecipe
from ...config.gpt import GptConfig, GptRecipe
from ...config.transformer import Recipe, TrainConfig, VitConfig
from ...data.images import Dataset
from ...data.table import Table
from ...data.text import Text
from ..network.vit import VisionTransformer
from .checkpoint import FamilyConfig, load_checkpoint, save_checkpoint
from .classifier_run import ClassifierRun
from .curve import save_curve
from .gpt_run import GptRun
from .progress import progress_bar, reporter
from .run import CHECKPOINT_NAME, Run
from .vit_run import VitRun

__all__ = ["CHECKPOINT_NAME", "TrainResult", "progress_bar", "train"]

SAVE_INTERVAL_S = 10.0


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """The result of training.

    Attributes
    ----------
    model : nn.Module
        In eval mode, on the CPU.
    checkpoint : Path or None
        The one to export: of the best epoch by loss on held-out text, of others the last. None if
        nothing was to be kept.
    test_accuracy : float
        On the held-out images, rows or characters, integer if the model has integers.
    validation_losses : tuple of float
        After each epoch, of a text; of others none are taken.
    seconds : float
        Of this call.
    complete : bool
        False if it was told to stop early.
    """

    model: nn.Module
    checkpoint: Path | None
    test_accuracy: float
    validation_losses: tuple[float, ...]
    seconds: float
    complete: bool


def train(
    config: FamilyConfig,
    train_config: Recipe,
    data: Dataset | Table | Text,
    out_dir: Path | None = None,
    progress: Progress | None = None,
    *,
    name: str = "train",
    stop_after: int | None = None,
    device: str | None = None,
    teacher: VisionTransformer | None = None,
) -> TrainResult:
    """Train, writing a checkpoint and the loss curve to ``out_dir``; resume from one found there.

    Every random choice depends on the seed and the epoch alone, so that a resumed run ends in
    the same weights as an uninterrupted one.

    Parameters
    ----------
    config, train_config, data
        What to train, how, and on what.
    out_dir : Path or None
        None keeps nothing.
    progress : Progress or None
        A running :func:`progress_bar`.
    name : str
        What the bar says.
    stop_after : int or None
        Stop once so many epochs are done.
    device : str or None
        Of torch; the GPU if there is one and nothing is said.
    teacher : VisionTransformer or None
        Float twin whose attention is distilled, with the weight ``train_config.distill``.

    Raises
    ------
    CheckpointError
        If ``out_dir`` holds a damaged checkpoint or one of another run.
    ValueError
        If the data or the teacher does not fit the network.
    """
    start = saved = time.monotonic()
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    run = new_run(config, train_config, data, device, teacher)
    path = out_dir / CHECKPOINT_NAME if out_dir else None
    if path is not None and path.exists():
        run.restore(load_checkpoint(path), path)
    last = min(train_config.epochs, stop_after or train_config.epochs)
    report = reporter(progress, name, run.step, run.schedule.steps)
    while run.epoch < last:
        run.train_epoch(report)
        if out_dir:
            run.keep(out_dir)
        if path and (run.epoch == last or time.monotonic() - saved > SAVE_INTERVAL_S):
            save_checkpoint(run.checkpoint(), path)
            saved = time.monotonic()
    if out_dir:
        save_curve(run.history, run.columns, out_dir)
    run.model.eval()
    return TrainResult(
        model=run.model.cpu(),
        checkpoint=out_dir / run.result_name if out_dir else None,
        test_accuracy=run.test_accuracy(),
        validation_losses=run.validation_losses(),
        seconds=time.monotonic() - start,
        complete=run.epoch == train_config.epochs,
    )


@singledispatch
def new_run(
    config: FamilyConfig,
    recipe: Recipe,
    data: Dataset | Table | Text,
    device: str,
    teacher: VisionTransformer | None,
) -> Run[Any, Any]:
    """Return a run of the family of ``config`` that has not begun."""
    raise TypeError(f"{type(config).__name__} is no shape of a network")


@new_run.register
def _(
    config: VitConfig,
    recipe: TrainConfig,
    data: Dataset,
    device: str,
    teacher: VisionTransformer | None,
) -> Run[Any, Any]:
    return VitRun(config, recipe, data, device, teacher)


@new_run.register
def _(
    config: ClassifierConfig,
    recipe: ClassifierRecipe,
    data: Table,
    device: str,
    teacher: None,
) -> Run[Any, Any]:
    return ClassifierRun(config, recipe, data, device)


@new_run.register
def _(
    config: GptConfig, recipe: GptRecipe, data: Text, device: str, teacher: None
) -> Run[Any, Any]:
    return GptRun(config, recipe, data, device)
