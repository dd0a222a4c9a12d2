"""From a trained model to the integer network."""

import json
from functools import singledispatch
from typing import Any

from torch import nn

from lutformer.errors import UsageError

from ... import embedding, token_embedding
from ...network import gpt, weightless_classifier
from ...network.stored_network import StoredNetwork
from ...network.transformer import Block
from ...network.vit import Network
from ...vocabulary import Vocabulary
from ..arithmetic import integer_array
from ..lut_layer import export_luts
from ..network import gpt as nn_gpt
from ..network import transformer, vit
from ..network.weightless_classifier import WeightlessClassifier
from ..quantizer import ACTIVATION_FRACTION

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
        layers=export_luts(model.layers, model.wiring(), config.features * config.thermometer_bits),
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
            token=integer_array(embedding.quantised(model.vectors)),
            position=integer_array(embedding.quantised(embedding.position)),
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
            Block(attention=block.attention.export(shift), mlp=block.mlp.export(shift))  # type: ignore[union-attr,operator]
            for block in model.blocks
        ),
        "head": model.head.export(shift),
        "fraction": ACTIVATION_FRACTION,
        "requant_shift": shift,
    }


def _embedding(model: vit.VisionTransformer, shift: int) -> embedding.Embedding:
    config = model.config
    return embedding.Embedding(
        height=config.height,
        width=config.width,
        channels=config.channels,
        patch_height=config.patch_height,
        patch_width=config.patch_width,
        class_token=config.pooling == "class",
        patch=model.embedding.patch.export(shift),
        position=integer_array(model.embedding.positions()),
    )
