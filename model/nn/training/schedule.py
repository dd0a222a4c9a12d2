"""Schedules of the learning rate and the quantisation ramp."""

import math
from dataclasses import dataclass

from ...config.transformer import Recipe

__all__ = ["Schedule"]

STEP_FACTOR = 0.1


@dataclass(frozen=True)
class Schedule:
    """The learning rate as a function of the step alone, so that a resumed run continues it."""

    config: Recipe
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        """Length of the whole run."""
        return self.config.epochs * self.steps_per_epoch

    def rate(self, step: int) -> float:
        """Return the factor of the learning rate: linear warm-up, then the recipe's shape."""
        warmup = min(self.config.warmup, self.steps // 4)
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return SHAPES[self.config.schedule](self, step, warmup)

    def ramp(self, share: float, step: int) -> float:
        """Return the value, 0 to 1, of a ramp over ``share`` of the run."""
        length = share * self.steps
        return 1.0 if step >= length else step / length


def _cosine(schedule: Schedule, step: int, warmup: int) -> float:
    """Fall to ``lr_final`` in half a cosine."""
    done = (step - warmup) / max(1, schedule.steps - warmup)
    final = schedule.config.lr_final
    return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2


def _steps(schedule: Schedule, step: int, warmup: int) -> float:
    """Fall to a tenth every ``step_epochs``."""
    epoch = step // schedule.steps_per_epoch
    return STEP_FACTOR ** (epoch // schedule.config.step_epochs)


SHAPES = {"cosine": _cosine, "steps": _steps}
