"""What each kind of MLP asks of the hardware: one rule a kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Protocol

from ...model import gelu_mlp, weightless_mlp
from ...model.storage.part import Part, check_one_kind
from ..plan.plan import Plan
from .conditional_sum import ConditionalSumConfig
from .gelu_mlp import GeluMlp, GeluMlpConfig
from .weightless_mlp import WeightlessMlp

__all__ = ["MlpConfig", "WeightlessConfig", "mlp_config", "mlp_engine"]

CELLS = {  # of a lookup table of n inputs
    "ice40": {1: 1, 2: 1, 3: 1, 4: 1, 5: 4, 6: 10},
    "ecp5": {1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 4},
}


class MlpConfig(Protocol):
    """What planner and bound read of an MLP engine."""

    @property
    def cycles(self) -> tuple[int, ...]:
        """Least cycles of a token in each layer."""
        ...

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of each block memory."""
        ...

    def cells(self, family: str) -> int:
        """Return the LUT4s, estimated."""
        ...


@dataclass(frozen=True, kw_only=True)
class WeightlessConfig:
    """Thermometers, lookup tables and conditional sums of all blocks."""

    layers: tuple[weightless_mlp.WeightlessMlp, ...]
    readout: ConditionalSumConfig
    tokens: int

    @property
    def cycles(self) -> tuple[int, ...]:
        """Least cycles of a token in each layer."""
        readout = self.readout
        return tuple(readout.channels * readout.slices(layer) for layer in readout.layers)

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of each block memory."""
        readout = self.readout
        if not readout.external:
            yield readout.weight_width, readout.weight_words
        yield 12, len(self.layers) * readout.channels  # biases

    def cells(self, family: str) -> int:
        """Return the LUT4s, estimated; the coefficients are fits to synthesised designs."""
        cells, bits = 0, 0
        for mlp in self.layers:
            for layer in mlp.layers:
                cells += layer.luts * CELLS[family][layer.mapping.shape[1]]
            bits += mlp.readout.inputs
        lanes = self.readout.lanes
        cells += (bits - lanes) * 3 // 4 + (3 if self.readout.ternary else 14) * lanes + 150
        return cells + 2 * self.layers[0].thermometer.bits


def mlp_config(layers: Sequence[Part], tokens: int, plan: Plan) -> MlpConfig:
    """Return the shape of the engine that serves ``layers``, which are of one kind.

    Raises
    ------
    ValueError
        If they are of several.
    """
    check_one_kind(layers, "MLP")
    return _config(layers[0], tuple(layers), tokens, plan)


@singledispatch
def _config(layer: Part, layers: tuple[Part, ...], tokens: int, plan: Plan) -> MlpConfig:
    raise TypeError(f"{type(layer).__name__} has no hardware")


@_config.register
def _(
    layer: weightless_mlp.WeightlessMlp,
    layers: tuple[weightless_mlp.WeightlessMlp, ...],
    tokens: int,
    plan: Plan,
) -> WeightlessConfig:
    sums = tuple(mlp.readout for mlp in layers)
    readout = ConditionalSumConfig(
        layers=sums,
        lanes=plan.lanes,
        registers=plan.registers,
        popcount=plan.popcount,
        external=plan.external_weights,
    )
    return WeightlessConfig(layers=layers, readout=readout, tokens=tokens)


@_config.register
def _(
    layer: gelu_mlp.GeluMlp, layers: tuple[gelu_mlp.GeluMlp, ...], tokens: int, plan: Plan
) -> GeluMlpConfig:
    return GeluMlpConfig(layers=layers, tokens=tokens)


@singledispatch
def mlp_engine(config: MlpConfig) -> Any:
    """Return the engine of a shape: a component with the ports ``job``, ``i`` and ``o``."""
    raise TypeError(f"{type(config).__name__} has no hardware")


@mlp_engine.register
def _(config: WeightlessConfig) -> WeightlessMlp:
    return WeightlessMlp(config.layers, readout=config.readout, tokens=config.tokens)


mlp_engine.register(GeluMlpConfig, GeluMlp)
