"""Held-out data of a network."""

import json
from functools import singledispatch
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..errors import LutformerError
from ..model.data.images import DATASETS, Dataset, load_data
from ..model.data.table import Table, load_table
from ..model.data.text import TEXTS, Text, load_text
from ..model.network.gpt import Gpt
from ..model.network.stored_network import StoredNetwork
from ..model.network.vit import Network
from ..model.network.weightless_classifier import WeightlessClassifier
from .families import Data

__all__ = ["NoData", "held_out", "held_out_inputs", "held_out_table", "held_out_text"]


class NoData(LutformerError):
    """The data that a step needs are not known or do not suit the network."""


def held_out(network: Network, source: str | Path | None = None) -> Dataset:
    """Load the dataset of ``network``: ``source``, or the one that it says it was trained on.

    Raises
    ------
    NoData
        If neither is to be had, or the images have another shape than the network's input.
    """
    data = load_data(_source(network, source))
    e = network.embedding
    shape = (e.height, e.width, e.channels)
    if data.shape != shape:
        raise NoData(f"Images of {data.name} are {data.shape}, the network takes {shape}")
    _refuse_changed(network, source, data)
    return data


def held_out_table(network: WeightlessClassifier, source: str | Path | None = None) -> Table:
    """Load the rows of ``network``, as :func:`held_out` does images.

    Raises
    ------
    NoData
        If there are none, or they have another number of features than the network's input.
    """
    data = load_table(_source(network, source), _trained_on(network).get("label"))
    features = network.encoder.features
    if data.features != features:
        raise NoData(
            f"Rows of {data.name} have {data.features} features, the network takes {features}"
        )
    _refuse_changed(network, source, data)
    return data


def held_out_text(network: Gpt, source: str | Path | None = None) -> Text:
    """Load the text of ``network``, as :func:`held_out` does images.

    Raises
    ------
    NoData
        If there is none, or it has other characters than the network knows.
    """
    data = load_text(_source(network, source))
    if data.vocabulary.characters != network.vocabulary.characters:
        raise NoData(
            f"Text {data.name} has other characters ({data.vocabulary.size}) than the network "
            f"knows ({network.vocabulary.size})"
        )
    _refuse_changed(network, source, data)
    return data


@singledispatch
def held_out_inputs(
    network: StoredNetwork, source: str | Path | None = None
) -> tuple[NDArray[Any], str]:
    """Return the held-out inputs of a network, images or words, and their name.

    Raises
    ------
    NoData
        As :func:`held_out` does.
    """
    raise TypeError(f"{type(network).__name__} is of no known family")


@held_out_inputs.register
def _(network: Network, source: str | Path | None = None) -> tuple[NDArray[Any], str]:
    data = held_out(network, source)
    return data.test_images, data.name


@held_out_inputs.register
def _(network: WeightlessClassifier, source: str | Path | None = None) -> tuple[NDArray[Any], str]:
    data = held_out_table(network, source)
    return network.encoder.words(data.test_rows), data.name


@held_out_inputs.register
def _(network: Gpt, source: str | Path | None = None) -> tuple[NDArray[Any], str]:
    data = held_out_text(network, source)
    return data.held_out(network.block_size)[0], data.name


def _trained_on(network: StoredNetwork) -> dict[str, Any]:
    return json.loads(network.origin).get("data", {})


def _source(network: StoredNetwork, source: str | Path | None) -> str | Path:
    if source is not None:
        return source
    name: str = _trained_on(network).get("name", "")
    if name not in DATASETS and name not in TEXTS:
        known = f"its data {name!r} are yours" if name else "the network does not say its data"
        raise NoData(f"Held-out {network.inputs} are needed, but {known}: give them with --data")
    return name


def _refuse_changed(network: StoredNetwork, source: str | Path | None, data: Data) -> None:
    if source is None and _trained_on(network).get("fingerprint") != data.fingerprint:
        raise NoData(
            f"Dataset {data.name} is not the one that the network was trained on (its fingerprint "
            "differs): train again, or give data with --data"
        )
