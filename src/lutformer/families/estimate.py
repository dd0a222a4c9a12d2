"""Whether a preset's network fits a board, before anything is trained."""

from dataclasses import fields
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from ..errors import DoesNotFit
from ..model.config.classifier import ClassifierConfig
from ..model.config.gpt import GptConfig
from ..model.config.transformer import BlockConfig, VitConfig
from ..model.network.stored_network import StoredNetwork
from ..planning import plan_for
from ..testing.random_classifier import random_classifier
from ..testing.random_gpt import GptShape, random_gpt
from ..testing.random_network import BlockShape, NetworkShape, random_network
from .families import Shape

if TYPE_CHECKING:
    from ..boards.board import Board

__all__ = ["Shortage", "shortage", "sized"]

Shortage = dict[str, tuple[int, int]]
"""What a chip has too little of: needed and there, by name of the resource."""

WORD_BITS = 8
"""Of a feature, where a classifier's follow the data."""


def shortage(network: StoredNetwork, board: "Board") -> Shortage:
    """Return what ``board`` lacks for the smallest plan of ``network``; empty if it fits."""
    try:
        plan_for(network, board.name, None, core=False)
    except DoesNotFit as error:
        return error.over
    return {}


@singledispatch
def sized(shape: Shape) -> StoredNetwork:
    """Return a network of that shape with random weights, which takes about as much."""
    raise TypeError(f"{type(shape).__name__} is no shape of a network")


@sized.register
def _(shape: VitConfig) -> StoredNetwork:
    token = shape.pooling == "class"
    return random_network(NetworkShape(**_common(shape, NetworkShape), class_token=token))


@sized.register
def _(shape: GptConfig) -> StoredNetwork:
    common = _common(shape, GptShape)
    common["positions"] = shape.positions == "learned"
    return random_gpt(GptShape(**common))


@sized.register
def _(shape: ClassifierConfig) -> StoredNetwork:
    return random_classifier(
        features=shape.features,
        thermometer_bits=shape.thermometer_bits,
        word_bits=shape.word_bits or WORD_BITS,
        luts=shape.luts,
        fan_in=shape.fan_in,
        classes=shape.classes,
        repeat=0,
    )


def _common(shape: BlockConfig, kind: type[BlockShape]) -> dict[str, Any]:
    """Return the fields that a configuration and a random network's shape have in common."""
    names = {f.name for f in fields(kind)} & {f.name for f in fields(shape)}
    common = {name: getattr(shape, name) for name in names} | {"kind": shape.weights}
    return common | ({"hash": "linear"} if shape.form == "and" else {})
