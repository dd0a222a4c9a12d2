"""What changes from step to step: learning rate and ramp."""

import math
from dataclasses import dataclass

from ..config import TrainConfig

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """Both as functions of the step alone, so that a resumed run continues them exactly."""

    config: TrainConfig
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        """Length of the whole run."""
        return self.config.epochs * self.steps_per_epoch

    def rate(self, step: int) -> float:
        """Return the factor of the learning rate: linear warm-up, then a cosine to ``lr_final``."""
        warmup = min(self.config.warmup, self.steps // 4)
        if step < warmup:
            return (step + 1) / (warmup + 1)
        done = (step - warmup) / max(1, self.steps - warmup)
        final = self.config.lr_final
        return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2

    def ramp(self, step: int) -> float:
        """Return the share of quantisation, 0 to 1."""
        length = self.config.ramp * self.steps
        return 1.0 if step >= length else step / length
