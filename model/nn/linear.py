"""Quantisation-aware linear layer, twin of ``model/linear.py`` (docs/math.md, Eq. 4, 5)."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .. import linear as golden
from .arithmetic import integer_array, integer_matmul, requantize, round_half_up
from .quantizer import Ramp

__all__ = ["INITIAL_STD", "Kind", "Linear"]

Kind = Literal["ternary", "int8", "float"]

INITIAL_STD = 0.02
"""Of weights and positions: small, so that training soon decides where they point (docs/log.md)."""


class Linear(nn.Module):
    """``y = bias + W x`` on integers in, accumulators times a scale out.

    Parameters
    ----------
    columns, rows : int
        Inputs and outputs.
    kind : "ternary", "int8" or "float"
        Ternary: one scale for the layer, the mean of ``|W|``. int8: one for each row, its
        maximum over 127, or one for the layer if ``shared``.
    ramp : Ramp
    input_step : float
        What 1 stands for in the input.
    output_step : float or None
        What 1 stands for in the requantised output; None where only the accumulator is read.
    std : float
        Standard deviation of the initial weights; their parameters are real numbers.
    shared : bool
        Whether all rows must have the same scale (the head, whose accumulators are compared).
    """

    def __init__(
        self,
        columns: int,
        rows: int,
        *,
        kind: Kind,
        ramp: Ramp,
        input_step: float,
        output_step: float | None = None,
        std: float = INITIAL_STD,
        shared: bool = False,
    ) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.ramp, self.shared = ramp, shared
        self.input_step, self.output_step = input_step, output_step or 1.0
        self.requantised = output_step is not None
        self.weight = nn.Parameter(torch.randn(rows, columns) * std)
        self.bias = nn.Parameter(torch.zeros(rows))

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs in units of ``output_step``; not yet rounded."""
        if self.kind == "float":
            y = functional.linear(x * self.input_step, self.weight, self.bias)
            return y / self.output_step
        scale = self.scale()
        relative = self.weight / scale
        weight = self.ramp(relative, self._levels(relative))
        bias = self.ramp.round(self.bias / (scale[:, 0] * self.input_step))
        acc = functional.linear(x, weight, bias)  # at the end of the ramp an exact integer
        return acc * (scale[:, 0] * (self.input_step / self.output_step))

    def scale(self) -> Tensor:
        """Return the real value of one level of each row's weights, [rows, 1]."""
        size = self.weight.detach().abs().double()
        if self.kind == "ternary":
            scale = size.mean().expand(len(size), 1)
        else:
            scale = (size.max() if self.shared else size.amax(1, keepdim=True)).expand(
                len(size), 1
            ) / 127
        return scale.clamp_min(1e-8).float()

    def _levels(self, relative: Tensor) -> Tensor:
        top = 1 if self.kind == "ternary" else 127
        return round_half_up(relative).clamp(-top, top)

    def quantised(self) -> tuple[Tensor, Tensor]:
        """Return the integer weights [rows, columns] and biases [rows], int64."""
        scale = self.scale()
        bias = round_half_up(self.bias.detach() / (scale[:, 0] * self.input_step))
        return self._levels(self.weight.detach() / scale).long(), bias.long()

    def gain(self) -> Tensor:
        """Return the factor from accumulators to output units, float64 [rows]."""
        return self.scale()[:, 0].double() * (self.input_step / self.output_step)

    def multiplier(self, shift: int) -> Tensor:
        """Return m of Eq. 2 for each row, at least 1."""
        return round_half_up(self.gain() * 2.0**shift).long().clamp_min(1)

    def accumulate(self, x: Tensor) -> Tensor:
        """Return the accumulators of int64 inputs (Eq. 4)."""
        weight, bias = self.quantised()
        return integer_matmul(x, weight.T) + bias

    def integers(self, x: Tensor, shift: int, bits: int) -> Tensor:
        """Return the requantised outputs of int64 inputs (Eq. 5)."""
        return requantize(self.accumulate(x), self.multiplier(shift), shift, bits)

    def export(self, shift: int) -> golden.Linear:
        """Return the integer layer; one whose outputs are not requantised has multipliers 0."""
        assert self.kind != "float"
        weight, bias = map(integer_array, self.quantised())
        scaled = integer_array(self.multiplier(shift)) if self.requantised else 0 * bias
        return golden.Linear(kind=self.kind, weight=weight, bias=bias, multiplier=scaled)
