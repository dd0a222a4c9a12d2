"""Ordinary MLP in floating point: the twin that accuracy is compared with."""

from torch import Tensor, nn
from torch.nn import functional

from .linear import Kind, Linear
from .quantizer import ACTIVATION_STEP, RESIDUAL_STEP, Ramp

__all__ = ["GeluMlp"]


class GeluMlp(nn.Module):
    """Two linear layers, the hidden one four times as wide, with a GELU between them.

    Parameters
    ----------
    width : int
    kind : "ternary", "int8" or "float"
        Of the weights; activations stay real.
    ramp : Ramp
    output_std : float
    """

    def __init__(self, width: int, *, kind: Kind, ramp: Ramp, output_std: float) -> None:
        super().__init__()
        self.hidden = Linear(width, 4 * width, kind=kind, ramp=ramp, input_step=ACTIVATION_STEP)
        self.output = Linear(
            4 * width,
            width,
            kind=kind,
            ramp=ramp,
            input_step=1.0,
            output_step=RESIDUAL_STEP,
            std=output_std,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.output(functional.gelu(self.hidden(x)))
