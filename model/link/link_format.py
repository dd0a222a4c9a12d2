"""The frames in which a network's input and output go over the link (docs/link.md)."""

from dataclasses import dataclass
from functools import singledispatch

from ..network.gpt import Gpt
from ..network.stored_network import StoredNetwork
from ..network.vit import Network
from ..network.weightless_classifier import WeightlessClassifier
from .text_link import REPLY_BYTES, REQUEST_BYTES

__all__ = ["LinkFormat", "link_format"]


@dataclass(frozen=True, kw_only=True)
class LinkFormat:
    """How much goes over the link in an inference, or a request for text.

    Attributes
    ----------
    input_bytes : int
    reply_bytes : int or None
        None for the answer of a classifier, whose size follows from its logits.
    """

    input_bytes: int
    reply_bytes: int | None = None


@singledispatch
def link_format(network: StoredNetwork) -> LinkFormat:
    """Return how a network talks over the link."""
    raise TypeError(f"{type(network).__name__} is of no known family")


@link_format.register
def _(network: Network) -> LinkFormat:
    return LinkFormat(input_bytes=network.embedding.pixels)


@link_format.register
def _(network: WeightlessClassifier) -> LinkFormat:
    return LinkFormat(input_bytes=network.encoder.features * network.encoder.word_bytes)


@link_format.register
def _(network: Gpt) -> LinkFormat:
    return LinkFormat(input_bytes=REQUEST_BYTES, reply_bytes=REPLY_BYTES)
