"""The bytes in which a network's input and output go over the link (docs/link.md)."""

from functools import singledispatch
from typing import Any

from numpy.typing import NDArray

from ..network.class_names import class_names
from ..network.gpt import Gpt
from ..network.stored_network import StoredNetwork
from ..network.vit import Network
from ..network.weightless_classifier import WeightlessClassifier
from .text_link import REPLY_BYTES, REQUEST_BYTES

__all__ = ["classes", "input_bytes", "pack_inputs", "reply_bytes"]


@singledispatch
def input_bytes(network: StoredNetwork) -> int:
    """Return how many bytes an input of a network has."""
    raise TypeError(f"{type(network).__name__} is of no known family")


@input_bytes.register
def _(network: Network) -> int:
    return network.embedding.pixels


@input_bytes.register
def _(network: WeightlessClassifier) -> int:
    return network.encoder.features * network.encoder.word_bytes


@input_bytes.register
def _(network: Gpt) -> int:
    return REQUEST_BYTES


def reply_bytes(network: StoredNetwork) -> int | None:
    """Return how many bytes a decoder's answer has; None for that of a classifier."""
    return REPLY_BYTES if isinstance(network, Gpt) else None


def classes(network: StoredNetwork) -> int:
    """Return how many logits a network has."""
    return network.head.out_features if isinstance(network, Gpt) else len(class_names(network))


@singledispatch
def pack_inputs(network: StoredNetwork, inputs: NDArray[Any]) -> list[bytes]:
    """Return the bytes of each of several inputs."""
    raise TypeError(f"{type(network).__name__} is of no known family")


@pack_inputs.register
def _(network: Network, inputs: NDArray[Any]) -> list[bytes]:
    return [image.tobytes() for image in inputs]


@pack_inputs.register
def _(network: WeightlessClassifier, inputs: NDArray[Any]) -> list[bytes]:
    return network.encoder.pack(inputs)
