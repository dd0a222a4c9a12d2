"""Training of a vision transformer from scratch; stopped at any time, it can be resumed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor, nn
from torch.nn import functional

from ..config import TrainConfig, VitConfig
from ..data import Dataset
from .checkpoint import Checkpoint, CheckpointError, describe, load_checkpoint, save_checkpoint
from .curve import save_curve
from .evaluate import accuracy
from .schedule import Schedule
from .vit import VisionTransformer

__all__ = ["CHECKPOINT_NAME", "TrainResult", "progress_bar", "train"]

CHECKPOINT_NAME = "checkpoint.safetensors"
SAVE_INTERVAL_S = 10.0


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What training leaves.

    Attributes
    ----------
    model : VisionTransformer
        In eval mode, on the CPU.
    checkpoint : Path or None
        None if nothing was to be kept.
    test_accuracy : float
        On the held-out images, integer if the model has integers.
    seconds : float
        Of this call.
    complete : bool
        False if it was told to stop early.
    """

    model: VisionTransformer
    checkpoint: Path | None
    test_accuracy: float
    seconds: float
    complete: bool


def progress_bar() -> Progress:
    """Return the bar that :func:`train` fills: steps, loss, accuracy, time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  accuracy {task.fields[accuracy]:.1%}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )


def train(
    config: VitConfig,
    train_config: TrainConfig,
    data: Dataset,
    out_dir: Path | None = None,
    progress: Progress | None = None,
    *,
    stop_after: int | None = None,
    device: str | None = None,
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
    stop_after : int or None
        Stop once so many epochs are done.
    device : str or None
        Of torch; the GPU if there is one and nothing is said.

    Raises
    ------
    CheckpointError
        If ``out_dir`` holds a damaged checkpoint or one of another run.
    ValueError
        If the data does not fit the network.
    """
    _check(config, data)
    start = time.monotonic()
    run = _Run(config, train_config, data, device or ("cuda" if torch.cuda.is_available() else "cpu"))
    path = out_dir / CHECKPOINT_NAME if out_dir else None
    if path is not None and path.exists():
        run.restore(load_checkpoint(path), path)
    last = min(train_config.epochs, stop_after or train_config.epochs)
    report = _reporter(progress, run)
    saved = time.monotonic()
    while run.epoch < last:
        run.train_epoch(report)
        if path and (run.epoch == last or time.monotonic() - saved > SAVE_INTERVAL_S):
            save_checkpoint(run.checkpoint(), path)
            saved = time.monotonic()
    if out_dir:
        save_curve(run.history, out_dir)
    model = run.model.cpu().eval()
    return TrainResult(
        model=model,
        checkpoint=path,
        test_accuracy=accuracy(model, data.test_images, data.test_labels),
        seconds=time.monotonic() - start,
        complete=run.epoch == train_config.epochs,
    )


def _check(config: VitConfig, data: Dataset) -> None:
    shape = (config.height, config.width, config.channels)
    if data.shape != shape:
        raise ValueError(f"Images of {data.name} are {data.shape}, the network takes {shape}")
    if len(data.class_names) != config.classes:
        raise ValueError(
            f"Dataset {data.name} has {len(data.class_names)} classes, the network {config.classes}"
        )


Report = Callable[[int, float, float], None]


def _reporter(progress: Progress | None, run: "_Run") -> Report:
    if progress is None:
        return lambda step, loss, hits: None
    task = progress.add_task(
        "train", total=run.schedule.steps, completed=run.epoch * run.schedule.steps_per_epoch, loss=0.0, accuracy=0.0
    )
    return lambda step, loss, hits: progress.update(task, completed=step, loss=loss, accuracy=hits)


class _Run:
    """Model, optimiser and history of one training run."""

    def __init__(self, config: VitConfig, train_config: TrainConfig, data: Dataset, device: str) -> None:
        self.train_config, self.data, self.device = train_config, data, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(train_config.seed)
            self.model = VisionTransformer(config).to(device).train()
        self.optimizer = _optimizer(self.model, train_config)
        self.schedule = Schedule(train_config, -(-len(data.train_labels) // train_config.batch))
        self.epoch = 0
        self.history = torch.empty(0, 6, dtype=torch.float64)

    def train_epoch(self, report: Report) -> None:
        losses: list[Tensor] = []
        hits: list[Tensor] = []
        step = self.epoch * self.schedule.steps_per_epoch
        for images, labels in self._batches():
            lr = self._prepare(step)
            logits = self.model(images)
            loss = functional.cross_entropy(logits, labels)
            self._descend(loss)
            losses.append(loss.detach())
            hits.append((logits.detach().argmax(1) == labels).float().mean())
            step += 1
            if step % 10 == 0:
                report(step, float(losses[-1]), float(torch.stack(hits).mean()))
        self.epoch += 1
        mean_loss, mean_hits = float(torch.stack(losses).mean()), float(torch.stack(hits).mean())
        report(step, mean_loss, mean_hits)
        row = [self.epoch, step, lr, self.model.ramp.value, mean_loss, mean_hits]
        self.history = torch.cat([self.history, torch.tensor([row], dtype=torch.float64)])

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng((self.train_config.seed, self.epoch))
        images, labels = self.data.train_images, self.data.train_labels
        if self.train_config.shift:
            images = shifted(images, self.train_config.shift, rng)
        order = rng.permutation(len(labels))
        for start in range(0, len(order), self.train_config.batch):
            index = order[start : start + self.train_config.batch]
            yield (
                torch.from_numpy(images[index]).to(self.device),
                torch.from_numpy(labels[index]).to(self.device),
            )

    def _prepare(self, step: int) -> float:
        self.model.ramp.value = self.schedule.ramp(step)
        rate = self.schedule.rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * rate
        return self.train_config.lr * rate

    def _descend(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()
        tables = _tables(self.model)
        own = {id(table) for table in tables}
        others = [p for p in self.model.parameters() if id(p) not in own]
        nn.utils.clip_grad_norm_(others, self.train_config.clip)
        self.optimizer.step()
        with torch.no_grad():
            for table in tables:
                table.clamp_(-1, 1)

    def checkpoint(self) -> Checkpoint:
        names = {id(p): name for name, p in self.model.named_parameters()}
        return Checkpoint(
            config=self.model.config,
            train=self.train_config,
            data=describe(self.data),
            epoch=self.epoch,
            model=self.model.state_dict(),
            optimizer={
                f"{names[id(p)]}.{key}": value
                for p, state in self.optimizer.state.items()
                for key, value in state.items()
            },
            history=self.history,
        )

    def restore(self, checkpoint: Checkpoint, path: Path) -> None:
        """Continue from ``checkpoint``, which must be of this very run."""
        mine = (self.model.config, self.train_config, describe(self.data))
        if (checkpoint.config, checkpoint.train, checkpoint.data) != mine:
            raise CheckpointError(
                f"{path} belongs to another run (other network, recipe or data); "
                "give another folder, or delete it"
            )
        self.model.load_state_dict(checkpoint.model)
        for name, p in self.model.named_parameters():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                value = checkpoint.optimizer[f"{name}.{key}"]
                self.optimizer.state[p][key] = value if key == "step" else value.to(p.device)
        self.epoch, self.history = checkpoint.epoch, checkpoint.history
        self.model.ramp.value = self.schedule.ramp(self.epoch * self.schedule.steps_per_epoch)


def shifted(images: NDArray[np.uint8], reach: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move each image by up to ``reach`` pixels down and across at random, filling with 0."""
    count, height, width = images.shape[:3]
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    down, across = rng.integers(0, 2 * reach + 1, (2, count))
    rows = down[:, None] + np.arange(height)
    columns = across[:, None] + np.arange(width)
    return padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _tables(model: VisionTransformer) -> list[nn.Parameter]:
    return [p for name, p in model.named_parameters() if name.endswith(".tables")]


def _optimizer(model: VisionTransformer, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW with three groups: lookup tables, weight matrices (the only ones to decay), the rest."""
    tables = _tables(model)
    own = {id(table) for table in tables}
    others = [p for p in model.parameters() if id(p) not in own]
    matrices = [p for name, p in model.named_parameters() if name.endswith(".weight")]
    matrix_ids = {id(p) for p in matrices}
    rest = [p for p in others if id(p) not in matrix_ids]
    groups = [
        {"params": tables, "base": config.lr_tables, "weight_decay": 0.0},
        {"params": matrices, "base": config.lr, "weight_decay": config.weight_decay},
        {"params": rest, "base": config.lr, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=config.lr, betas=(0.9, 0.99))
