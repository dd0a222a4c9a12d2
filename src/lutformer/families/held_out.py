"""Held-out data of a network."""

import json
from pathlib import Path
from typing import Any

from ..errors import LutformerError
from ..model.data.images import DATASETS, Dataset
from ..model.data.table import Table
from ..model.data.text import TEXTS, Text
from ..model.network.stored_network import StoredNetwork
from .unit import Unit

__all__ = ["NoData", "check_fingerprint", "source_of", "trained_on"]


class NoData(LutformerError):
    """The data that a step needs are not known or do not suit the network."""


def trained_on(network: StoredNetwork) -> dict[str, Any]:
    """Return what a network says about the data that it was trained on."""
    return json.loads(network.origin).get("data", {})


def source_of(network: StoredNetwork, source: str | Path | None, unit: Unit) -> str | Path:
    """Return ``source``, or the name of the data that a network was trained on.

    Raises
    ------
    NoData
        If nobody can load data of that name; ``unit`` says of what they are.
    """
    if source is not None:
        return source
    name: str = trained_on(network).get("name", "")
    if name not in DATASETS and name not in TEXTS:
        known = f"its data {name!r} are yours" if name else "the network does not say its data"
        raise NoData(f"Held-out {unit.plural} are needed, but {known}: give them with --data")
    return name


def check_fingerprint(network: StoredNetwork, data: Dataset | Table | Text) -> None:
    """Raise ``NoData`` unless a network was trained on these very data."""
    if trained_on(network).get("fingerprint") != data.fingerprint:
        raise NoData(
            f"Dataset {data.name} is not the one that the network was trained on (its fingerprint "
            "differs): train again, or give data with --data"
        )
