"""What each kind of attention asks of the hardware: one rule a kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Protocol

from ...model import hamming_attention, linear_attention, softmax_attention
from ...model.attention import Attention
from ...model.kernel_hash import KernelHash
from ...model.linear import Linear
from ...model.storage.part import check_one_kind
from ..linear.matvec import stack
from ..plan.plan import Plan
from .hamming_attention import HammingAttention
from .hamming_config import HammingAttentionConfig
from .linear_attention import LinearAttention
from .linear_config import LinearAttentionConfig
from .softmax_attention import SoftmaxAttention
from .softmax_config import SoftmaxAttentionConfig

__all__ = [
    "AttentionConfig",
    "Projection",
    "attention_config",
    "attention_engine",
    "project",
    "streams",
]


class AttentionConfig(Protocol):
    """What planner and bound read of an attention engine."""

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


def streams(config: AttentionConfig) -> bool:
    """Return whether the engine gives out tokens of a job before the last one has come."""
    return isinstance(config, LinearAttentionConfig) and config.causal and not config.context


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


@singledispatch
def project(layer: Attention) -> Projection:
    """Return the stacked projections of an attention layer."""
    raise TypeError(f"{type(layer).__name__} has no hardware")


@project.register
def _(layer: hamming_attention.HammingAttention) -> Projection:
    stacked = stack(layer.query, layer.key, layer.value)
    return Projection(layer=stacked, raw=layer.query.out_features + layer.key.out_features)


@project.register
def _(layer: softmax_attention.SoftmaxAttention) -> Projection:
    return Projection(layer=stack(layer.query, layer.key, layer.value), raw=0)


@project.register
def _(layer: linear_attention.LinearAttention) -> Projection:
    if isinstance(layer.hash, KernelHash):
        return Projection(layer=stack(layer.hash.project, layer.value), raw=0)
    parts = layer.hash.projections
    return Projection(
        layer=stack(*parts, layer.value), raw=sum(part.out_features for part in parts)
    )


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
    return _config(layers[0], tuple(layers), _lanes(layers[0], tokens, plan, context), plan)


@singledispatch
def _config(
    layer: Attention, layers: tuple[Attention, ...], lanes: dict[str, Any], plan: Plan
) -> AttentionConfig:
    raise TypeError(f"{type(layer).__name__} has no hardware")


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


@_config.register
def _(
    layer: hamming_attention.HammingAttention,
    layers: tuple[hamming_attention.HammingAttention, ...],
    lanes: dict[str, Any],
    plan: Plan,
) -> HammingAttentionConfig:
    lanes |= {"dsp_values": plan.dsp_values, "popcount": plan.popcount}
    return HammingAttentionConfig(layers=layers, **lanes)


@_config.register
def _(
    layer: softmax_attention.SoftmaxAttention,
    layers: tuple[softmax_attention.SoftmaxAttention, ...],
    lanes: dict[str, Any],
    plan: Plan,
) -> SoftmaxAttentionConfig:
    return SoftmaxAttentionConfig(layers=layers, dsp_values=plan.dsp_values, **lanes)


@_config.register
def _(
    layer: linear_attention.LinearAttention,
    layers: tuple[linear_attention.LinearAttention, ...],
    lanes: dict[str, Any],
    plan: Plan,
) -> LinearAttentionConfig:
    return LinearAttentionConfig(layers=layers, hash_lanes=plan.hash_lanes, **lanes)


@singledispatch
def attention_engine(config: AttentionConfig) -> Any:
    """Return the engine of a shape: it has ``job``, ``values``, ``o``, maybe ``codes``."""
    raise TypeError(f"{type(config).__name__} has no hardware")


attention_engine.register(HammingAttentionConfig, HammingAttention)
attention_engine.register(SoftmaxAttentionConfig, SoftmaxAttention)
attention_engine.register(LinearAttentionConfig, LinearAttention)
