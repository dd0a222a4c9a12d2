"""The images that a network was not trained on: they judge it everywhere."""

import json
from pathlib import Path

from .errors import LutformerError
from .model.data import DATASETS, Dataset, load_data
from .model.network import Network

__all__ = ["NoData", "held_out"]


class NoData(LutformerError):
    """The data that a step needs are not known or do not suit the network."""


def held_out(network: Network, source: str | Path | None = None) -> Dataset:
    """Load the dataset of ``network``: ``source``, or the one that it says it was trained on.

    Raises
    ------
    NoData
        If neither is to be had, or the images have another shape than the network's input.
    """
    trained_on = json.loads(network.origin).get("data", {})
    name = trained_on.get("name")
    if source is None and name not in DATASETS:
        known = f"its data {name!r} are yours" if name else "the network does not say its data"
        raise NoData(f"Held-out images are needed, but {known}: give them with --data")
    data = load_data(source if source is not None else name)
    e = network.embedding
    shape = (e.height, e.width, e.channels)
    if data.shape != shape:
        raise NoData(f"Images of {data.name} are {data.shape}, the network takes {shape}")
    if source is None and trained_on.get("fingerprint") != data.fingerprint:
        raise NoData(
            f"Dataset {name} is not the one that the network was trained on (its fingerprint "
            "differs): train again, or give data with --data"
        )
    return data
