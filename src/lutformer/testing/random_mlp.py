"""MLPs with random weights, of each built-in kind."""

import numpy as np

from ..model.conditional_sum import ConditionalSum
from ..model.gelu_mlp import GeluMlp
from ..model.lut_layer import LutLayer
from ..model.thermometer import Thermometer
from ..model.weightless_mlp import WeightlessMlp
from .draw import Draw

__all__ = ["random_gelu", "random_weightless"]


def random_weightless(draw: Draw) -> WeightlessMlp:
    """Return a thermometer, lookup tables and a conditional sum."""
    shape, rng, layers = draw.shape, draw.rng, []
    thresholds = np.sort(rng.integers(-60, 61, (shape.dim, shape.thermometer_bits)), axis=1)
    inputs = thresholds.size
    for luts in shape.luts:
        mapping = rng.integers(0, inputs, (luts, shape.fan_in))
        tables = rng.integers(0, 2, (luts, 1 << shape.fan_in))
        layers.append(LutLayer(inputs=inputs, mapping=mapping, tables=tables))
        inputs = luts
    grouped = shape.readout == "grouped"
    terms = inputs // shape.dim if grouped else inputs
    readout = ConditionalSum(
        kind=shape.kind,
        weight=rng.integers(-draw.top, draw.top + 1, (shape.dim, terms)),
        bias=rng.integers(-inputs, inputs + 1, shape.dim),
        shift=int(rng.integers(2, 6)),
        grouped=grouped,
    )
    return WeightlessMlp(
        thermometer=Thermometer(thresholds=thresholds), layers=tuple(layers), readout=readout
    )


def random_gelu(draw: Draw) -> GeluMlp:
    """Return two linear layers and a table that rises."""
    dim = draw.shape.dim
    table = np.sort(draw.rng.integers(-20, 128, 256))
    return GeluMlp(
        hidden=draw.linear(4 * dim, dim, 1.0), table=table, output=draw.linear(dim, 4 * dim, 8)
    )
