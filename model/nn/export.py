"""From a trained model to the integer network."""

import json

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lutformer.errors import UsageError

from .. import (
    conditional_sum,
    embedding,
    hamming_attention,
    linear,
    lut_layer,
    thermometer,
    weightless_mlp,
)
from ..network import Block, Network
from . import vit
from .conditional_sum import ConditionalSum
from .hamming_attention import HammingAttention
from .linear import Linear
from .quantizer import ACTIVATION_FRACTION
from .weightless_mlp import WeightlessMlp

__all__ = ["export"]


def export(
    model: vit.VisionTransformer,
    *,
    class_names: tuple[str, ...] | None = None,
    pixel_max: int = 255,
    origin: dict[str, object] | None = None,
) -> Network:
    """Return the integers that ``model`` computes with in eval mode.

    Raises
    ------
    UsageError
        If the model has no integer form (float weights, softmax attention or a GELU MLP).
    """
    config = model.config
    if not config.exact:
        raise UsageError(
            f"A model of {config.weights} weights, {config.attention} attention and {config.mlp} "
            "MLP has no integer form; train one of ternary or int8 weights, hamming and weightless"
        )
    shift = model.requant_shift
    return Network(
        embedding=_embedding(model, shift),
        blocks=tuple(
            Block(attention=_attention(block.attention, shift), mlp=_mlp(block.mlp))  # type: ignore[arg-type]
            for block in model.blocks
        ),
        head=_linear(model.head, None),
        fraction=ACTIVATION_FRACTION,
        requant_shift=shift,
        class_names=class_names or tuple(str(n) for n in range(config.classes)),
        pixel_max=pixel_max,
        origin=json.dumps(origin or {}, sort_keys=True),
    )


def _array(x: Tensor) -> NDArray[np.int64]:
    return x.detach().cpu().numpy().astype(np.int64)


def _linear(layer: Linear, shift: int | None) -> linear.Linear:
    """``shift`` is None where only the accumulator is read."""
    weight, bias = map(_array, layer.quantised())
    multiplier = np.zeros_like(bias) if shift is None else _array(layer.multiplier(shift))
    assert layer.kind != "float"
    return linear.Linear(kind=layer.kind, weight=weight, bias=bias, multiplier=multiplier)


def _embedding(model: vit.VisionTransformer, shift: int) -> embedding.Embedding:
    config = model.config
    return embedding.Embedding(
        height=config.height,
        width=config.width,
        channels=config.channels,
        patch_height=config.patch_height,
        patch_width=config.patch_width,
        class_token=config.pooling == "class",
        patch=_linear(model.embedding.patch, shift),
        position=_array(model.embedding.positions()),
    )


def _attention(layer: HammingAttention, shift: int) -> hamming_attention.HammingAttention:
    return hamming_attention.HammingAttention(
        heads=layer.heads,
        code_bits=layer.code_bits,
        query=_linear(layer.query, None),
        key=_linear(layer.key, None),
        value=_linear(layer.value, shift),
        output=_linear(layer.output, shift),
        table=_array(layer.table()),
    )


def _mlp(layer: WeightlessMlp) -> weightless_mlp.WeightlessMlp:
    inputs = layer.thermometer.thresholds.numel()
    layers = []
    for luts in layer.layers:
        mapping, tables = _array(luts.mapping), _array(luts.tables > 0)  # type: ignore[arg-type,operator]
        layers.append(lut_layer.LutLayer(inputs=inputs, mapping=mapping, tables=tables))
        inputs = len(mapping)
    return weightless_mlp.WeightlessMlp(
        thermometer=thermometer.Thermometer(thresholds=_array(layer.thermometer.thresholds)),
        layers=tuple(layers),
        readout=_conditional_sum(layer.readout),
    )


def _conditional_sum(layer: ConditionalSum) -> conditional_sum.ConditionalSum:
    weight, bias = map(_array, layer.quantised())
    assert layer.kind != "float"
    return conditional_sum.ConditionalSum(
        kind=layer.kind, weight=weight, bias=bias, shift=layer.shift
    )
