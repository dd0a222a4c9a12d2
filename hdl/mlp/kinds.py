"""The hardware of each kind of MLP: one rule a kind."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...model.kinds.registry import MLPS
from ...model.linear import Linear
from ...model.mlp import Mlp
from ...model.storage.part import check_one_kind
from ..plan.plan import Plan
from .engine import MlpEngine

__all__ = [
    "ExternalWeights",
    "MlpConfig",
    "MlpHardware",
    "linear_layers",
    "mlp_config",
    "mlp_engine",
    "own_lanes",
]


class ExternalWeights(Protocol):
    """Weights of an engine in the memory that all engines read."""

    @property
    def weight_width(self) -> int:
        """Bits of a word."""
        ...

    @property
    def weight_words(self) -> int:
        """Words of all layers."""
        ...

    @property
    def weights(self) -> Sequence[int]:
        """The words."""
        ...


class MlpConfig(Protocol):
    """The part of an MLP engine's config that planner and bound read."""

    @property
    def layers(self) -> Sequence[Mlp]:
        """The layers that the engine serves, of one kind."""
        ...

    @property
    def adds(self) -> bool:
        """Whether the engine reads layer norm and adds to the residual stream itself.

        Else it stands between two passes of ``MatVec``.
        """
        ...

    @property
    def external(self) -> Sequence[ExternalWeights]:
        """What the engine reads of a memory that all engines share, if weights are external."""
        ...

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


def no_lanes(layer: Mlp) -> tuple[str, ...]:
    """Return no lanes: what most kinds need besides those of all."""
    return ()


@dataclass(frozen=True, kw_only=True)
class MlpHardware:
    """What a kind of MLP asks of the hardware.

    Attributes
    ----------
    config : callable
        ``config(layers, tokens, plan) -> MlpConfig`` of the engine that serves ``layers``.
    engine : callable
        ``engine(config) -> MlpEngine``.
    linear_layers : callable
        ``linear_layers(layer)``: the linear layers before and after the engine, which ``MatVec``
        computes, or None if the engine adds to the residual stream itself.
    lanes : callable
        ``lanes(layer)``: names of the plan's lanes that only this kind reads, ``lanes`` or none;
        the planner tries several of each.
    """

    config: Callable[..., MlpConfig]
    engine: Callable[[Any], MlpEngine]
    linear_layers: Callable[[Any], tuple[Linear, Linear] | None]
    lanes: Callable[[Any], tuple[str, ...]] = no_lanes


def hardware_of(layer: Mlp) -> MlpHardware:
    """Return what the kind of a layer asks of the hardware."""
    return MLPS.of(layer).load_hardware()


def linear_layers(layer: Mlp) -> tuple[Linear, Linear] | None:
    """Return the layers of ``MatVec`` before and after an MLP; None if it adds itself."""
    return hardware_of(layer).linear_layers(layer)


def own_lanes(layer: Mlp) -> tuple[str, ...]:
    """Return the plan's lanes that only the kind of ``layer`` reads."""
    return hardware_of(layer).lanes(layer)


def mlp_config(layers: Sequence[Mlp], tokens: int, plan: Plan) -> MlpConfig:
    """Return the shape of the engine that serves ``layers``, which are of one kind.

    Raises
    ------
    ValueError
        If they are of several.
    """
    check_one_kind(layers, "MLP")
    return hardware_of(layers[0]).config(tuple(layers), tokens, plan)


def mlp_engine(config: MlpConfig) -> MlpEngine:
    """Return the engine of a shape."""
    return hardware_of(config.layers[0]).engine(config)
