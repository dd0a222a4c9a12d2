"""One training run: model, optimiser and history, from any epoch to any later one."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from lutformer.errors import LutformerError

from ...config.transformer import Recipe
from .checkpoint import Checkpoint, CheckpointError, FamilyConfig
from .curve import COLUMNS
from .optimizer import Optimizer
from .progress import Report
from .schedule import Schedule

__all__ = ["CHECKPOINT_NAME", "Run", "TrainingDiverged"]

CHECKPOINT_NAME = "checkpoint.safetensors"
"""From which a run goes on."""

REPORT_STEPS = 10

Model = TypeVar("Model", bound=nn.Module)
Kind = TypeVar("Kind", bound=Recipe)


class TrainingDiverged(LutformerError):
    """Weights or loss are no longer finite; checkpoints from before are kept."""


class Run(ABC, Generic[Model, Kind]):
    """State of a run; subclasses implement the families of networks.

    Parameters
    ----------
    model : nn.Module
        On its device, in training mode; its ``config`` says what it is.
    recipe : Recipe
    data : dict
        Of the dataset, what a checkpoint keeps.
    examples : int
        Of one epoch.
    clip : float or None
        Of the gradient, as in :class:`Optimizer`.
    """

    columns: tuple[str, ...] = COLUMNS
    """Of the history, one row an epoch."""
    result_name: str = CHECKPOINT_NAME
    """Checkpoint to export."""
    teacher_print: str | None = None
    """Fingerprint of the model that this one learns from, if there is one."""

    def __init__(
        self,
        model: Model,
        recipe: Kind,
        data: dict[str, Any],
        examples: int,
        clip: float | None = None,
    ) -> None:
        self.model: Model = model
        self.recipe: Kind = recipe
        self.data_facts = data
        self.optimizer = Optimizer(model, recipe, clip)
        self.schedule = Schedule(recipe, -(-examples // recipe.batch))
        self.epoch = 0
        self.history = torch.empty(0, len(self.columns), dtype=torch.float64)

    @abstractmethod
    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and labels of the epoch that begins."""

    @abstractmethod
    def test_accuracy(self) -> float:
        """Return the fraction of the held-out part whose class is right."""

    def begin_epoch(self) -> None:
        """Prepare an epoch."""

    def begin_step(self, step: int) -> None:
        """Prepare a step."""

    def ramp(self) -> float:
        """Return the share of quantisation by now."""
        return 1.0

    def held_out(self) -> tuple[float, ...]:
        """Return the columns of the history besides :data:`COLUMNS`."""
        return ()

    def validation_losses(self) -> tuple[float, ...]:
        """Return the loss on held-out data after each epoch, if it is taken."""
        return ()

    def keep(self, folder: Path) -> None:
        """Write further files at the end of an epoch, besides a checkpoint."""

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | float]:
        """Return the logits, and the terms of the loss besides their cross entropy."""
        return self.model(inputs), 0.0

    @property
    def config(self) -> FamilyConfig:
        """Shape of the network."""
        return self.model.config  # type: ignore[return-value]

    @property
    def step(self) -> int:
        """Steps done, at the end of an epoch."""
        return self.epoch * self.schedule.steps_per_epoch

    def train_epoch(self, report: Report) -> None:
        """Go once through the training examples."""
        self.begin_epoch()
        losses: list[Tensor] = []
        hits: list[Tensor] = []
        rate = 0.0
        for inputs, labels in self.batches():
            step = self.step + len(losses)
            rate = self.schedule.rate(step)
            self.begin_step(step)
            logits, loss, besides = self._loss(inputs, labels, step)
            self.optimizer.descend(loss + besides, rate)
            losses.append(loss.detach())
            hits.append((logits.detach().argmax(1) == labels).float().mean())
            if len(losses) % REPORT_STEPS == 0:
                report(step, float(losses[-1]), float(torch.stack(hits).mean()))
        if not self._finite():  # by the last step
            raise self._diverged(self.step + len(losses) - 1)
        self.epoch += 1
        means = float(torch.stack(losses).mean()), float(torch.stack(hits).mean())
        report(self.step, *means)
        row = torch.tensor(
            [[self.epoch, self.step, self.recipe.lr * rate, self.ramp(), *means, *self.held_out()]],
        )
        self.history = torch.cat([self.history, row.double()])

    def _loss(
        self, inputs: Tensor, labels: Tensor, step: int
    ) -> tuple[Tensor, Tensor, Tensor | float]:
        """Return logits, their cross entropy, and what the loss has besides.

        Raises
        ------
        TrainingDiverged
            If weights or loss are no longer finite.
        """
        try:
            logits, besides = self.forward(inputs)
            loss = functional.cross_entropy(logits, labels)
        except (ValueError, OverflowError) as error:  # integers of weights that are NaN
            if self._finite():
                raise
            raise self._diverged(step) from error
        if not torch.isfinite(loss):
            raise self._diverged(step)
        return logits, loss, besides

    def _finite(self) -> bool:
        return all(bool(torch.isfinite(p).all()) for p in self.model.parameters())

    def _diverged(self, step: int) -> TrainingDiverged:
        rate = self.recipe.lr * self.schedule.rate(step)
        return TrainingDiverged(
            f"Training diverged at step {step + 1}, epoch {self.epoch + 1}, at a learning rate of "
            f"{rate:.3g}: the loss is not a number any more; try --set lr={self.recipe.lr / 10:g}"
        )

    def checkpoint(self) -> Checkpoint:
        """Return everything that :meth:`restore` needs to go on from here."""
        return Checkpoint(
            config=self.config,
            train=self.recipe,
            data=self.data_facts,
            epoch=self.epoch,
            model=self.model.state_dict(),
            optimizer=self.optimizer.state(),
            history=self.history,
            teacher=self.teacher_print,
        )

    def restore(self, checkpoint: Checkpoint, path: Path) -> None:
        """Continue from ``checkpoint`` (read from ``path``), which must be of this very run."""
        mine = (self.config, self.recipe, self.data_facts)
        if (checkpoint.config, checkpoint.train, checkpoint.data) != mine:
            raise CheckpointError(
                f"{path} belongs to another run (other network, recipe or data); "
                "give another folder, or delete it"
            )
        if checkpoint.teacher != self.teacher_print:
            raise CheckpointError(
                f"{path} was trained with another teacher; give that one, or another folder"
            )
        self.model.load_state_dict(checkpoint.model)
        self.optimizer.restore(checkpoint.optimizer)
        self.epoch, self.history = checkpoint.epoch, checkpoint.history
