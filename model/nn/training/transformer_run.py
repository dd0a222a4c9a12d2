"""The common part of transformers' training runs: the ramp, and hashes to learn."""

from pathlib import Path
from typing import Any, TypeVar

import torch

from ...config.transformer import TransformerRecipe
from ..network.transformer import Transformer
from .checkpoint import Checkpoint
from .run import Run

__all__ = ["TransformerRun"]


Model = TypeVar("Model", bound=Transformer[Any])
Kind = TypeVar("Kind", bound=TransformerRecipe)


class TransformerRun(Run[Model, Kind]):
    """State of a run."""

    def begin_epoch(self) -> None:
        if self.epoch < self.recipe.hash_epochs:
            generator = torch.Generator().manual_seed(self.recipe.seed + 1000 * self.epoch)
            self.model.relearn_hashes(generator)

    def begin_step(self, step: int) -> None:
        self.model.ramp.value = self.schedule.ramp(self.recipe.ramp, step)

    def ramp(self) -> float:
        return self.model.ramp.value

    def restore(self, checkpoint: Checkpoint, path: Path) -> None:
        super().restore(checkpoint, path)
        self.begin_step(self.step)
