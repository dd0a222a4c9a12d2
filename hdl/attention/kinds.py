"""The hardware of each kind of attention: one rule a kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.attention import Attention
from ...model.kinds.registry import ATTENTIONS
from ...model.linear import Linear
from ...model.storage.part import check_one_kind
from ..plan.plan import Plan
from .engine import AttentionEngine
from .engine_config import AttentionEngineConfig

__all__ = [
    "AttentionHardware",
    "Projection",
    "attention_config",
    "attention_engine",
    "own_lanes",
    "project",
]


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The outputs of ``MatVec`` for a token of an attention layer.

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
        ``config(layers, plan, **lanes) -> AttentionEngineConfig`` of the engine for ``layers``;
        ``lanes`` are the fields that all engines have, see :func:`attention_config`.
    engine : callable
        ``engine(config) -> AttentionEngine``.
    lanes : callable
        ``lanes(layer)``: names of the plan's lanes that only this kind reads, ``hash_lanes`` or
        none; the planner tries several of each.
    """

    project: Callable[[Any], Projection]
    config: Callable[..., AttentionEngineConfig[Any]]
    engine: Callable[[Any], AttentionEngine[Any]]
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
) -> AttentionEngineConfig[Any]:
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


def attention_engine(config: AttentionEngineConfig[Any]) -> AttentionEngine[Any]:
    """Return the engine of a shape."""
    return hardware_of(config.layers[0]).engine(config)
