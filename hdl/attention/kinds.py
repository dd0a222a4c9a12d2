"""What each kind of attention asks of the hardware: one rule a kind."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...model.attention import Attention
from ...model.kinds.registry import ATTENTIONS
from ...model.linear import Linear
from ...model.storage.part import check_one_kind
from ..plan.plan import Plan

__all__ = [
    "AttentionConfig",
    "AttentionHardware",
    "Projection",
    "attention_config",
    "attention_engine",
    "own_lanes",
    "project",
]


class AttentionConfig(Protocol):
    """What planner and bound read of an attention engine."""

    @property
    def layers(self) -> Sequence[Attention]:
        """The layers that the engine serves, of one kind."""
        ...

    @property
    def streams(self) -> bool:
        """Whether the engine gives out tokens of a job before the last one has come."""
        ...

    @property
    def cycles(self) -> int:
        """Least cycles of a layer, all tokens."""
        ...

    @property
    def mixing_cycles(self) -> int:
        """Least cycles of a lone token once it has come, in a full context."""
        ...

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of each block memory."""
        ...

    @property
    def dsps(self) -> int:
        """Hardware multipliers."""
        ...

    @property
    def cells(self) -> int:
        """LUT4s, estimated."""
        ...

    @property
    def causal(self) -> bool:
        """Whether token i sees the tokens up to i only."""
        ...


@dataclass(frozen=True, kw_only=True)
class Projection:
    """What ``MatVec`` makes of a token for an attention layer.

    Attributes
    ----------
    layer : Linear
        Codes first, then all that is requantised, the values last.
    raw : int
        Rows of which only the sign counts.
    """

    layer: Linear
    raw: int


def no_lanes(layer: Attention) -> tuple[str, ...]:
    """Return no lanes: what most kinds need besides those of all."""
    return ()


@dataclass(frozen=True, kw_only=True)
class AttentionHardware:
    """What a kind of attention asks of the hardware.

    Attributes
    ----------
    project : callable
        ``project(layer) -> Projection``.
    config : callable
        ``config(layers, plan, **lanes) -> AttentionConfig`` of the engine that serves ``layers``;
        ``lanes`` are the fields that all engines have, see :func:`attention_config`.
    engine : callable
        ``engine(config)``: a component with the ports ``job``, ``values``, ``o``, maybe ``codes``.
    lanes : callable
        ``lanes(layer)``: names of the plan's lanes that only this kind reads, ``hash_lanes`` or
        none; the planner tries several of each.
    """

    project: Callable[[Any], Projection]
    config: Callable[..., AttentionConfig]
    engine: Callable[[Any], Any]
    lanes: Callable[[Any], tuple[str, ...]] = no_lanes


def hardware_of(layer: Attention) -> AttentionHardware:
    """Return what the kind of a layer asks of the hardware."""
    return ATTENTIONS.of(layer).load_hardware()


def project(layer: Attention) -> Projection:
    """Return the stacked projections of an attention layer."""
    return hardware_of(layer).project(layer)


def own_lanes(layer: Attention) -> tuple[str, ...]:
    """Return the plan's lanes that only the kind of ``layer`` reads."""
    return hardware_of(layer).lanes(layer)


def attention_config(
    layers: Sequence[Attention], tokens: int, plan: Plan, context: int = 0
) -> AttentionConfig:
    """Return the shape of the engine that serves ``layers``, which are of one kind.

    ``tokens`` come in a job; those of a ``context`` in many jobs, unless it is 0.

    Raises
    ------
    ValueError
        If they are of several.
    """
    check_one_kind(layers, "attention")
    lanes = _lanes(layers[0], tokens, plan, context)
    return hardware_of(layers[0]).config(tuple(layers), plan, **lanes)


def _lanes(layer: Attention, tokens: int, plan: Plan, context: int) -> dict[str, Any]:
    """Return the fields that all engines have."""
    return {
        "tokens": tokens,
        "context": context,
        "columns": min(plan.columns, layer.head_width),
        "dsp_divide": plan.dsp_divide,
        "two_cycle_multiply": plan.two_cycle_multiply,
        "registers": plan.registers,
    }


def attention_engine(config: AttentionConfig) -> Any:
    """Return the engine of a shape: it has ``job``, ``values``, ``o``, maybe ``codes``."""
    return hardware_of(config.layers[0]).engine(config)
