"""The class names of a network of any family."""

from functools import singledispatch

from lutformer.errors import UsageError

from .stored_network import StoredNetwork
from .vit import Network
from .weightless_classifier import WeightlessClassifier

__all__ = ["class_names"]


@singledispatch
def class_names(network: StoredNetwork) -> tuple[str, ...]:
    """Return the names of the classes, in the order of the logits.

    Raises
    ------
    UsageError
        If the network is no classifier.
    """
    raise UsageError(f"This network is a {type(network).__name__}: it has no classes")


@class_names.register(Network)
@class_names.register(WeightlessClassifier)
def _(network: Network | WeightlessClassifier) -> tuple[str, ...]:
    return network.class_names
