"""Ordinary MLP, twin of ``model/gelu_mlp.py`` (Eq. 35), or in real numbers."""

import torch
from torch import Tensor
from torch.nn import functional

from .. import gelu_mlp as golden
from ..arithmetic import ACTIVATION_BITS, RESIDUAL_BITS
from ..config.transformer import BlockConfig
from .arithmetic import clamp, integer_array, round_half_up
from .linear import INITIAL_STD, Linear
from .mlp import Mlp
from .quantizer import ACTIVATION_STEP, RESIDUAL_STEP, Ramp

__all__ = ["GeluMlp"]

ENTRIES = 2**ACTIVATION_BITS


class GeluMlp(Mlp):
    """Two linear layers, the hidden one four times as wide, with a GELU between them.

    With weights "float" it is the ordinary MLP: the twin that accuracy is compared with.

    Parameters
    ----------
    config : BlockConfig
    ramp : Ramp
    output_std : float
        Initial standard deviation of the second layer.
    """

    def __init__(self, config: BlockConfig, ramp: Ramp, *, output_std: float) -> None:
        super().__init__()
        self.ramp, self.rounded = ramp, config.weights != "float"

        def layer(columns: int, rows: int, step: float, std: float) -> Linear:
            return Linear(
                columns,
                rows,
                kind=config.weights,
                ramp=ramp,
                input_step=ACTIVATION_STEP,
                output_step=step,
                std=std,
            )

        self.hidden = layer(config.dim, 4 * config.dim, ACTIVATION_STEP, INITIAL_STD)
        self.output = layer(4 * config.dim, config.dim, RESIDUAL_STEP, output_std)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self._round(self.hidden(x), ACTIVATION_BITS)
        active = functional.gelu(hidden * ACTIVATION_STEP) / ACTIVATION_STEP
        return self._round(self.output(self._round(active, ACTIVATION_BITS)), RESIDUAL_BITS)

    def _round(self, x: Tensor, bits: int) -> Tensor:
        return self.ramp.round(x, bits) if self.rounded else x

    def table(self) -> Tensor:
        """Return the activation of each hidden value from -128 to 127, int64 [256]."""
        x = torch.arange(-ENTRIES // 2, ENTRIES // 2, dtype=torch.float64) * ACTIVATION_STEP
        return clamp(round_half_up(functional.gelu(x) / ACTIVATION_STEP), ACTIVATION_BITS).long()

    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return ``hidden``, ``active`` and the residual ``increment`` of int64 tokens."""
        hidden = self.hidden.integers(x, shift, ACTIVATION_BITS)
        active = self.table().to(x.device)[hidden + ENTRIES // 2]
        increment = self.output.integers(active, shift, RESIDUAL_BITS)
        return {"hidden": hidden, "active": active, "increment": increment}

    def export(self, shift: int) -> golden.GeluMlp:
        return golden.GeluMlp(
            hidden=self.hidden.export(shift),
            table=integer_array(self.table()),
            output=self.output.export(shift),
        )
