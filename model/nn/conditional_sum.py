"""Conditional summation, twin of ``model/conditional_sum.py`` (docs/math.md, Eq. 17)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .. import conditional_sum as golden
from .arithmetic import integer_array, integer_matmul, round_half_up
from .linear import Kind
from .quantizer import RESIDUAL_STEP, Ramp

__all__ = ["ConditionalSum"]

MAX_SHIFT = 15


class ConditionalSum(nn.Module):
    """Bits as 0.0 and 1.0 in, residual increments out.

    Trained as ``beta + W h`` with ``h = 2 b - 1`` in {-1, +1}, so that a bit's two values push
    apart evenly; the centre ``-W 1`` goes into the bias. A level of ``W`` moves the output by
    ``2**k`` residual units: ``k`` is the scale that the weights ask for (ternary: the mean of
    ``|W|``, int8: its maximum over 127), rounded to a power of two.

    Parameters
    ----------
    columns, rows : int
        N and D.
    kind : "ternary", "int8" or "float"
    ramp : Ramp
    std : float
        Initial standard deviation of the weights.
    grouped : bool
        Whether each row sums ``columns / rows`` bits of its own.
    """

    def __init__(
        self,
        columns: int,
        rows: int,
        *,
        kind: Kind,
        ramp: Ramp,
        std: float,
        grouped: bool = False,
    ) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.ramp = ramp
        self.grouped = grouped
        self.weight = nn.Parameter(torch.randn(rows, columns // rows if grouped else columns) * std)
        self.bias = nn.Parameter(torch.zeros(rows))

    def forward(self, bits: Tensor) -> Tensor:
        if self.kind == "float":
            return self._sum(2 * bits - 1, self.weight, self.bias) / RESIDUAL_STEP
        step = self._step()
        relative = self.weight / step
        weight = self.ramp(relative, self._levels(relative))
        bias = self.ramp.round(self._centred(weight, step))
        return self._sum(bits, weight, bias) * (2 * step / RESIDUAL_STEP)

    def _sum(self, bits: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        if self.grouped:
            return (bits.unflatten(-1, weight.shape) * weight).sum(-1) + bias
        return functional.linear(bits, weight, bias)

    @property
    def shift(self) -> int:
        """k, the left shift from sums to residual units."""
        size = self.weight.detach().abs().double()
        unit = 2 * size / RESIDUAL_STEP
        if self.kind == "ternary":
            wanted = torch.log2(unit.mean().clamp_min(1)).round()
        else:
            wanted = torch.log2((unit.max() / 127).clamp_min(1)).ceil()
        return min(int(wanted), MAX_SHIFT)

    def _step(self) -> float:
        """Return the real value of one level of the weights: half the effect of a bit."""
        return 2.0**self.shift * RESIDUAL_STEP / 2

    def _levels(self, relative: Tensor) -> Tensor:
        top = 1 if self.kind == "ternary" else 127
        return round_half_up(relative).clamp(-top, top)

    def _centred(self, weight: Tensor, step: float) -> Tensor:
        """Return the bias in units of the sum, the centre of the bits included."""
        return (self.bias / step - weight.sum(1)) / 2

    def quantised(self) -> tuple[Tensor, Tensor]:
        """Return the integer weights [rows, columns] and biases [rows], int64."""
        step = self._step()
        weight = self._levels(self.weight.detach() / step)
        return weight.long(), round_half_up(self._centred(weight, step).detach()).long()

    def integers(self, bits: Tensor) -> Tensor:
        """Return the residual increments of int64 bits."""
        weight, bias = self.quantised()
        if self.grouped:
            return self._sum(bits, weight, bias) << self.shift
        return (integer_matmul(bits, weight.T) + bias) << self.shift

    def export(self) -> golden.ConditionalSum:
        """Return the integer layer."""
        assert self.kind != "float"
        weight, bias = map(integer_array, self.quantised())
        return golden.ConditionalSum(
            kind=self.kind, weight=weight, bias=bias, shift=self.shift, grouped=self.grouped
        )
