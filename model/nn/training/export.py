"""From a trained model to the integer network."""

import json
from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lutformer.errors import UsageError

from ... import (
    conditional_sum,
    embedding,
    gelu_mlp,
    hamming_attention,
    kernel_hash,
    linear,
    linear_attention,
    lut_layer,
    softmax_attention,
    thermometer,
    token_embedding,
    weightless_mlp,
)
from ...network import gpt, weightless_classifier
from ...network.stored_network import StoredNetwork
from ...network.transformer import Block
from ...network.vit import Network
from ...vocabulary import Vocabulary
from ..attention import Attention
from ..conditional_sum import ConditionalSum
from ..gelu_mlp import GeluMlp
from ..hamming_attention import HammingAttention
from ..kernel_hash import KernelHash
from ..linear import Linear
from ..linear_attention import LinearAttention, LinearHash
from ..lut_layer import LutLayer
from ..network import gpt as nn_gpt
from ..network import transformer, vit
from ..network.weightless_classifier import WeightlessClassifier
from ..quantizer import ACTIVATION_FRACTION
from ..softmax_attention import SoftmaxAttention
from ..weightless_mlp import WeightlessMlp

__all__ = ["export", "export_any", "export_classifier", "export_gpt"]


@singledispatch
def export_any(model: nn.Module, **facts: Any) -> StoredNetwork:
    """Return the integers of a model of any family.

    Parameters
    ----------
    model : nn.Module
    facts
        ``class_names``, ``origin``, and what else its family's function takes.
    """
    raise TypeError(f"{type(model).__name__} has no integer form")


@export_any.register
def _(model: WeightlessClassifier, **facts: Any) -> weightless_classifier.WeightlessClassifier:
    return export_classifier(model, **facts)


def export_classifier(
    model: WeightlessClassifier,
    *,
    class_names: tuple[str, ...] | None = None,
    origin: dict[str, object] | None = None,
) -> weightless_classifier.WeightlessClassifier:
    """Return the integers of a weightless classifier."""
    config = model.config
    return weightless_classifier.WeightlessClassifier(
        encoder=model.encoder,
        layers=_lut_layers(model.layers, model.wiring(), config.features * config.thermometer_bits),
        class_names=class_names or tuple(str(n) for n in range(config.classes)),
        origin=json.dumps(origin or {}, sort_keys=True),
    )


@export_any.register
def _(model: vit.VisionTransformer, **facts: Any) -> Network:
    return export(model, **facts)


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
        If the model has no integer form (float weights).
    """
    return Network(
        **_transformer(model),
        embedding=_embedding(model, model.requant_shift),
        class_names=class_names or tuple(str(n) for n in range(model.config.classes)),
        pixel_max=pixel_max,
        origin=json.dumps(origin or {}, sort_keys=True),
    )


@export_any.register
def _(model: nn_gpt.Gpt, **facts: Any) -> gpt.Gpt:
    return export_gpt(model, **facts)


def export_gpt(
    model: nn_gpt.Gpt, *, characters: str, origin: dict[str, object] | None = None
) -> gpt.Gpt:
    """Return the integers that ``model`` computes with in eval mode, over these characters.

    Raises
    ------
    UsageError
        If the model has no integer form (float weights).
    """
    embedding = model.embedding
    return gpt.Gpt(
        **_transformer(model),
        vocabulary=Vocabulary(characters=characters),
        embedding=token_embedding.TokenEmbedding(
            token=_array(embedding.quantised(model.vectors)),
            position=_array(embedding.quantised(embedding.position)),
        ),
        block_size=model.config.block_size,
        logit_step=model.logit_step,
        origin=json.dumps(origin or {}, sort_keys=True),
    )


def _transformer(model: transformer.Transformer[Any]) -> dict[str, Any]:
    """Return the fields that the transformers of all families have."""
    config = model.config
    if not config.exact:
        raise UsageError(
            f"A model of {config.weights} weights has no integer form; "
            "train one of ternary or int8 weights"
        )
    shift = model.requant_shift
    return {
        "blocks": tuple(
            Block(attention=_attention(block.attention, shift), mlp=_mlp(block.mlp, shift))  # type: ignore[arg-type]
            for block in model.blocks
        ),
        "head": _linear(model.head, None),
        "fraction": ACTIVATION_FRACTION,
        "requant_shift": shift,
    }


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


def _common(layer: Attention, shift: int) -> dict[str, Any]:
    """Return the fields that all attention layers have."""
    return {
        "heads": layer.heads,
        "value": _linear(layer.value, shift),
        "output": _linear(layer.output, shift),
        "causal": layer.causal,
    }


@singledispatch
def _attention(layer: nn.Module, shift: int) -> Any:
    raise TypeError(f"{type(layer).__name__} is no attention layer")


@_attention.register
def _(layer: HammingAttention, shift: int) -> hamming_attention.HammingAttention:
    return hamming_attention.HammingAttention(
        **_common(layer, shift),
        code_bits=layer.code_bits,
        query=_linear(layer.query, None),
        key=_linear(layer.key, None),
        weighting=layer.config.weighting,
        table=_array(layer.table()),
        alibi=_array(layer.slopes()),
        top_k=layer.config.top_k,
    )


@_attention.register
def _(layer: SoftmaxAttention, shift: int) -> softmax_attention.SoftmaxAttention:
    return softmax_attention.SoftmaxAttention(
        **_common(layer, shift),
        query=_linear(layer.query, shift),
        key=_linear(layer.key, shift),
        multiplier=layer.multiplier,
        shift=layer.shift,
        exponential=layer.config.exponential,
        table=_array(layer.table()),
    )


@_attention.register
def _(layer: LinearAttention, shift: int) -> linear_attention.LinearAttention:
    return linear_attention.LinearAttention(
        **_common(layer, shift),
        hash=_hash(layer.hash, shift),
        form=layer.config.form,
        bias=layer.bias,
        decay=_array(layer.decay),
        fraction=layer.fraction,
    )


def _hash(
    layer: LinearHash | KernelHash, shift: int
) -> linear_attention.LinearHash | kernel_hash.KernelHash:
    if isinstance(layer, LinearHash):
        parts = tuple(_linear(part, None) for part in layer.projections)  # type: ignore[arg-type]
        return linear_attention.LinearHash(projections=parts)
    return kernel_hash.KernelHash(
        project=_linear(layer.project, shift),
        anchors=_array(layer.anchors),
        table=_array(layer.table),
        hash=_array(layer.weight_levels),
        bias=_array(layer.bias),
    )


@singledispatch
def _mlp(layer: nn.Module, shift: int) -> Any:
    raise TypeError(f"{type(layer).__name__} is no MLP")


@_mlp.register
def _(layer: GeluMlp, shift: int) -> gelu_mlp.GeluMlp:
    return gelu_mlp.GeluMlp(
        hidden=_linear(layer.hidden, shift),
        table=_array(layer.table()),
        output=_linear(layer.output, shift),
    )


@_mlp.register
def _(layer: WeightlessMlp, shift: int) -> weightless_mlp.WeightlessMlp:
    return weightless_mlp.WeightlessMlp(
        thermometer=thermometer.Thermometer(thresholds=_array(layer.thermometer.thresholds)),
        layers=_lut_layers(
            layer.layers,
            [luts.mapping.wiring() for luts in layer.layers],  # type: ignore[union-attr,operator]
            layer.thermometer.thresholds.numel(),
        ),
        readout=_conditional_sum(layer.readout),
    )


def _lut_layers(
    layers: nn.ModuleList, wiring: Sequence[Tensor], inputs: int
) -> tuple[lut_layer.LutLayer, ...]:
    made = []
    for layer, wires in zip(layers, wiring, strict=True):
        assert isinstance(layer, LutLayer)
        mapping, tables = _array(wires), _array(layer.tables > 0)
        made.append(lut_layer.LutLayer(inputs=inputs, mapping=mapping, tables=tables))
        inputs = len(mapping)
    return tuple(made)


def _conditional_sum(layer: ConditionalSum) -> conditional_sum.ConditionalSum:
    weight, bias = map(_array, layer.quantised())
    assert layer.kind != "float"
    return conditional_sum.ConditionalSum(
        kind=layer.kind, weight=weight, bias=bias, shift=layer.shift, grouped=layer.grouped
    )
