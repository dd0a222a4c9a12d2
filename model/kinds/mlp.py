"""The kinds of MLP that are built in."""

from ..gelu_mlp import GeluMlp
from ..lut_layer import MAX_FAN_IN
from ..weightless_mlp import WeightlessMlp
from .kind import MlpKind
from .option import Option

__all__ = ["GELU", "WEIGHTLESS"]

WEIGHTLESS = MlpKind(
    name="weightless",
    layer=WeightlessMlp,
    options=(
        Option(name="luts", default=(256,), least=1),
        Option(name="fan_in", default=4, least=1, most=MAX_FAN_IN),
        Option(name="thermometer_bits", default=3, least=1, most=32),
        Option(
            name="mapping",
            default="random",
            choices=("random", "shared", "learnable", "candidates"),
        ),
        Option(name="candidates", default=8, least=1),
        Option(
            name="surrogate", default="exponential", choices=("exponential", "efd", "fd", "hybrid")
        ),
        Option(name="readout", default="dense", choices=("dense", "grouped")),
    ),
    training="lutformer.model.nn.weightless_mlp:WeightlessMlp",
    hardware="lutformer.hdl.mlp.built_in:WEIGHTLESS",
    random="lutformer.testing.random_mlp:random_weightless",
)

GELU = MlpKind(
    name="gelu",
    layer=GeluMlp,
    training="lutformer.model.nn.gelu_mlp:GeluMlp",
    hardware="lutformer.hdl.mlp.built_in:GELU",
    random="lutformer.testing.random_mlp:random_gelu",
)
