"""Which family something is of."""

from typing import Any

from ..model.network.stored_network import StoredNetwork
from .classifier import ClassifierFamily
from .family import Config, Data, Family
from .gpt import GptFamily
from .vit import VitFamily

__all__ = ["FAMILIES", "family_of"]

FAMILIES: tuple[Family[Any, Any, Any], ...] = (VitFamily(), GptFamily(), ClassifierFamily())

BY_CLASS = {
    kind: family for family in FAMILIES for kind in (family.network, family.config, family.data)
}


def family_of(thing: StoredNetwork | Config | Data) -> Family[Any, Any, Any]:
    """Return the family of a network, of a configuration, or of data to train on."""
    for kind in type(thing).__mro__:
        if kind in BY_CLASS:
            return BY_CLASS[kind]
    raise TypeError(f"{type(thing).__name__} is of no known family")
