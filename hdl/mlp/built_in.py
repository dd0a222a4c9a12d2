"""What the built-in kinds of MLP ask of the hardware."""

from ...model import gelu_mlp, weightless_mlp
from ...model.linear import Linear
from ..plan.plan import Plan
from .conditional_sum import ConditionalSumConfig
from .gelu_mlp import GeluMlp, GeluMlpConfig
from .kinds import MlpHardware
from .weightless_config import WeightlessConfig
from .weightless_mlp import WeightlessMlp

__all__ = ["GELU", "WEIGHTLESS"]


def _configure_weightless(
    layers: tuple[weightless_mlp.WeightlessMlp, ...], tokens: int, plan: Plan
) -> WeightlessConfig:
    readout = ConditionalSumConfig(
        layers=tuple(mlp.readout for mlp in layers),
        lanes=plan.lanes,
        registers=plan.registers,
        popcount=plan.popcount,
        external=plan.external_weights,
    )
    return WeightlessConfig(layers=layers, readout=readout, tokens=tokens)


def _weightless_engine(config: WeightlessConfig) -> WeightlessMlp:
    return WeightlessMlp(config.layers, readout=config.readout, tokens=config.tokens)


def _configure_gelu(layers: tuple[gelu_mlp.GeluMlp, ...], tokens: int, plan: Plan) -> GeluMlpConfig:
    return GeluMlpConfig(layers=layers, tokens=tokens)


def _around_gelu(layer: gelu_mlp.GeluMlp) -> tuple[Linear, Linear]:
    return layer.hidden, layer.output


WEIGHTLESS = MlpHardware(
    config=_configure_weightless,
    engine=_weightless_engine,
    linear_layers=lambda layer: None,
    lanes=lambda layer: ("lanes",),
)
GELU = MlpHardware(config=_configure_gelu, engine=GeluMlp, linear_layers=_around_gelu)
