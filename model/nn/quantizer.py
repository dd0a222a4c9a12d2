"""Fake quantisation: integers forward, straight-through gradients backward, phased in by a ramp."""

from typing import Any

import torch
from torch import Tensor

from .arithmetic import clamp, round_half_up

__all__ = [
    "ACTIVATION_STEP",
    "PIXEL_STEP",
    "RESIDUAL_STEP",
    "Ramp",
    "saturate",
    "straight_through",
]

ACTIVATION_FRACTION = 5
ACTIVATION_STEP = 2.0**-ACTIVATION_FRACTION
"""What 1 stands for in an activation: layer norm outputs, values, attention outputs."""
RESIDUAL_STEP = 2.0**-10
"""What 1 stands for in the residual stream."""
PIXEL_STEP = 2.0**-6
"""What 1 stands for in a pixel."""


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hard: Tensor, soft: Tensor) -> Tensor:
        return hard.view_as(hard)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:  # type: ignore[override]
        return None, grad


def straight_through(hard: Tensor, soft: Tensor) -> Tensor:
    """Return the values of ``hard`` with the gradient of ``soft``."""
    return _StraightThrough.apply(hard.detach(), soft)  # type: ignore[return-value]


def saturate(x: Tensor, bits: int) -> Tensor:
    """Clamp to a signed word of ``bits`` bits; the gradient passes through."""
    return straight_through(clamp(x.detach(), bits), x)


class Ramp:
    """The quantisation ramp of a model, from real numbers (0) to integers (1).

    At 1 the result is the quantised value to the last bit, so that sums of integers stay exact
    while they are trained.
    """

    def __init__(self, value: float = 1.0) -> None:
        self.value = value

    def __call__(self, real: Tensor, quantised: Tensor) -> Tensor:
        """Blend; the gradient is that of ``real``."""
        with torch.no_grad():
            blend = quantised if self.value >= 1 else torch.lerp(real, quantised, self.value)
        return straight_through(blend, real)

    def round(self, real: Tensor, bits: int | None = None) -> Tensor:
        """Blend with the nearest integer, saturated to ``bits`` bits if given."""
        with torch.no_grad():
            rounded = round_half_up(real)
            if bits is not None:
                rounded = clamp(rounded, bits)
        return self(real, rounded)
