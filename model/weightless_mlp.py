"""Golden integer model of the weightless MLP: thermometer, LUT layers, conditional sum."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike, NDArray

from .arithmetic import Integers
from .conditional_sum import ConditionalSum, conditional_sum
from .lut_layer import LutLayer, lut_layer
from .mlp import Mlp, mlp
from .storage.part import check
from .thermometer import Thermometer, thermometer

__all__ = ["WeightlessMlp", "weightless_mlp"]


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightlessMlp(Mlp):
    """One block's MLP without multiplications, after QuWeiT as far as it is known."""

    thermometer: Thermometer
    layers: tuple[LutLayer, ...]
    readout: ConditionalSum

    def __post_init__(self) -> None:
        check(len(self.layers) >= 1, "WeightlessMlp.layers must hold at least one LutLayer")
        width = self.thermometer.bits
        for n, layer in enumerate(self.layers):
            check(
                layer.inputs == width,
                f"WeightlessMlp.layers[{n}] must read {width} bits, not {layer.inputs}",
            )
            width = layer.luts
        inputs, rows = self.readout.inputs, self.readout.channels
        check(inputs == width, f"WeightlessMlp.readout must read {width} bits, not {inputs}")
        channels = self.thermometer.thresholds.shape[0]
        check(rows == channels, f"WeightlessMlp.readout must have {channels} rows, not {rows}")

    @property
    def width(self) -> int:
        """D, channels of the residual stream."""
        return self.thermometer.thresholds.shape[0]


def weightless_mlp(layer: WeightlessMlp, x: ArrayLike) -> tuple[NDArray[Any], Integers]:
    """Return the last LUT layer's bits and the residual increment of int8 tokens [..., D]."""
    bits = thermometer(layer.thermometer, x)
    for luts in layer.layers:
        bits = lut_layer(luts, bits)
    return bits, conditional_sum(layer.readout, bits)


@mlp.register
def _(layer: WeightlessMlp, x: ArrayLike, shift: int) -> dict[str, NDArray[Any]]:
    bits, increment = weightless_mlp(layer, x)
    return {"bits": bits, "increment": increment}
