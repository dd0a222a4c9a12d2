"""What the built-in kinds of attention ask of the hardware."""

from typing import Any

from ...model import hamming_attention, linear_attention, softmax_attention
from ...model.kernel_hash import KernelHash
from ..linear.matvec import stack
from ..plan.plan import Plan
from .hamming_attention import HammingAttention
from .hamming_config import HammingAttentionConfig
from .kinds import AttentionHardware, Projection
from .linear_attention import LinearAttention
from .linear_config import LinearAttentionConfig
from .softmax_attention import SoftmaxAttention
from .softmax_config import SoftmaxAttentionConfig

__all__ = ["HAMMING", "LINEAR", "SOFTMAX"]


def _project_hamming(layer: hamming_attention.HammingAttention) -> Projection:
    stacked = stack(layer.query, layer.key, layer.value)
    return Projection(layer=stacked, raw=layer.query.out_features + layer.key.out_features)


def _configure_hamming(
    layers: tuple[hamming_attention.HammingAttention, ...], plan: Plan, **lanes: Any
) -> HammingAttentionConfig:
    return HammingAttentionConfig(
        layers=layers, dsp_values=plan.dsp_values, popcount=plan.popcount, **lanes
    )


def _project_softmax(layer: softmax_attention.SoftmaxAttention) -> Projection:
    return Projection(layer=stack(layer.query, layer.key, layer.value), raw=0)


def _configure_softmax(
    layers: tuple[softmax_attention.SoftmaxAttention, ...], plan: Plan, **lanes: Any
) -> SoftmaxAttentionConfig:
    return SoftmaxAttentionConfig(layers=layers, dsp_values=plan.dsp_values, **lanes)


def _project_linear(layer: linear_attention.LinearAttention) -> Projection:
    if isinstance(layer.hash, KernelHash):
        return Projection(layer=stack(layer.hash.project, layer.value), raw=0)
    parts = layer.hash.projections
    raw = sum(part.out_features for part in parts)
    return Projection(layer=stack(*parts, layer.value), raw=raw)


def _configure_linear(
    layers: tuple[linear_attention.LinearAttention, ...], plan: Plan, **lanes: Any
) -> LinearAttentionConfig:
    return LinearAttentionConfig(layers=layers, hash_lanes=plan.hash_lanes, **lanes)


def _lanes_of_linear(layer: linear_attention.LinearAttention) -> tuple[str, ...]:
    return ("hash_lanes",) if isinstance(layer.hash, KernelHash) else ()


HAMMING = AttentionHardware(
    project=_project_hamming, config=_configure_hamming, engine=HammingAttention
)
SOFTMAX = AttentionHardware(
    project=_project_softmax, config=_configure_softmax, engine=SoftmaxAttention
)
LINEAR = AttentionHardware(
    project=_project_linear,
    config=_configure_linear,
    engine=LinearAttention,
    lanes=_lanes_of_linear,
)
