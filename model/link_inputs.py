"""The bytes in which a network's input goes over the link (docs/link.md)."""

from functools import singledispatch
from typing import Any

from numpy.typing import NDArray

from .network import Network
from .network_file import StoredNetwork
from .weightless_classifier import WeightlessClassifier

__all__ = ["input_bytes", "pack_inputs"]


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
