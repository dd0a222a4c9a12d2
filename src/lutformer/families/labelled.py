"""Held-out inputs of a network with their labels."""

from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..model.network.stored_network import StoredNetwork
from ..model.network.vit import Network
from ..model.network.weightless_classifier import WeightlessClassifier
from .held_out import held_out, held_out_table

__all__ = ["Labelled", "labelled"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """Inputs [inputs, ...] as the network reads them, and their classes [inputs].

    Attributes
    ----------
    name, fingerprint : str
        Of the data.
    """

    name: str
    fingerprint: str
    inputs: NDArray[Any]
    labels: NDArray[Any]
    class_names: tuple[str, ...]


@singledispatch
def labelled(network: StoredNetwork, source: str | Path | None = None) -> Labelled:
    """Load the held-out part of ``source``, or of the dataset that the network was trained on.

    Raises
    ------
    NoData
        If there is none, or it does not suit the network.
    """
    raise TypeError(f"{type(network).__name__} has no classes")


@labelled.register(Network)
def _(network: Network, source: str | Path | None = None) -> Labelled:
    data = held_out(network, source)
    return Labelled(
        name=data.name,
        fingerprint=data.fingerprint,
        inputs=data.test_images,
        labels=data.test_labels,
        class_names=data.class_names,
    )


@labelled.register(WeightlessClassifier)
def _(network: WeightlessClassifier, source: str | Path | None = None) -> Labelled:
    data = held_out_table(network, source)
    return Labelled(
        name=data.name,
        fingerprint=data.fingerprint,
        inputs=network.encoder.words(data.test_rows),
        labels=data.test_labels,
        class_names=data.class_names,
    )
