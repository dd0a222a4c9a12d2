"""Thermometer, LUT layers and conditional sum, twin of ``model/weightless_mlp.py``."""

from torch import Tensor, nn

from .. import thermometer as golden_thermometer
from .. import weightless_mlp as golden
from ..config.transformer import BlockConfig
from .arithmetic import integer_array
from .conditional_sum import ConditionalSum
from .lut_layer import LutLayer, export_luts
from .mapping import MAPPINGS
from .mlp import Mlp
from .quantizer import Ramp
from .thermometer import Thermometer

__all__ = ["WeightlessMlp"]


class WeightlessMlp(Mlp):
    """Normalised tokens in, residual increments out.

    Parameters
    ----------
    config : BlockConfig
    ramp : Ramp
    output_std : float
        Initial standard deviation of the conditional sum's weights.
    """

    def __init__(self, config: BlockConfig, ramp: Ramp, *, output_std: float) -> None:
        super().__init__()
        width, luts, fan_in = config.dim, config.luts, config.fan_in
        self.thermometer = Thermometer(width, config.thermometer_bits)
        widths = (width * config.thermometer_bits, *luts)
        inner = "shared" if config.mapping == "shared" else "random"
        kinds = (config.mapping, *[inner] * len(luts))
        self.layers = nn.ModuleList()
        for inputs, count, kind in zip(widths, luts, kinds, strict=False):
            mapping = MAPPINGS[kind](inputs, count, fan_in, config.candidates)
            self.layers.append(LutLayer(inputs, count, fan_in, config.surrogate, mapping))
        self.readout = ConditionalSum(
            luts[-1],
            width,
            kind=config.weights,
            ramp=ramp,
            std=output_std,
            grouped=config.readout == "grouped",
        )

    def forward(self, x: Tensor) -> Tensor:
        bits = self.thermometer(x)
        for layer in self.layers:
            bits = layer(bits)
        return self.readout(bits)

    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return the last LUT layer's ``bits`` and the residual ``increment`` of int64 tokens."""
        bits = self.thermometer.integers(x)
        for layer in self.layers:
            bits = layer.integers(bits)  # type: ignore[operator]
        return {"bits": bits, "increment": self.readout.integers(bits)}

    def export(self, shift: int) -> golden.WeightlessMlp:
        thresholds = self.thermometer.thresholds
        wiring = [luts.mapping.wiring() for luts in self.layers]  # type: ignore[union-attr,operator]
        return golden.WeightlessMlp(
            thermometer=golden_thermometer.Thermometer(thresholds=integer_array(thresholds)),
            layers=export_luts(self.layers, wiring, thresholds.numel()),
            readout=self.readout.export(),
        )
