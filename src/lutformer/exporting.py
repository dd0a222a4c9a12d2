"""From a checkpoint to the network file, proven equal to the model on the way."""

import json
from dataclasses import replace
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .console import progress
from .equality import Equality, NotEqual, compare
from .held_out import NoData, held_out, held_out_table
from .model.data import DataError
from .model.network import Network
from .model.network_file import StoredNetwork, save_network
from .model.weightless_classifier import WeightlessClassifier
from .training import twin_record
from .workspace import writable

__all__ = ["export_network"]


def export_network(
    checkpoint: Path, output: Path, data: Path | str | None = None
) -> tuple[StoredNetwork, Equality | None]:
    """Write the network of ``checkpoint``; return it and what was compared.

    The model's integers on all held-out inputs are compared with those of the golden run. None
    is returned for the comparison if nobody says what the data are. The network's ``origin``
    remembers the comparison and the float twin, if one was trained beside the checkpoint.

    Raises
    ------
    NotEqual
        If any integer differs; nothing is written.
    """
    from .model.nn.checkpoint import export_checkpoint, load_checkpoint

    network = export_checkpoint(checkpoint)
    equality = None
    try:
        inputs = held_out_inputs(network, data)
    except (NoData, DataError):
        if data is not None:
            raise
    else:
        equality = _proven(network, load_checkpoint(checkpoint).build(), inputs)
    origin = json.loads(network.origin)
    if equality is not None:
        origin["golden"] = {"images": equality.images, "integers": equality.integers}
    twin = twin_record(checkpoint.parent, origin["data"]["fingerprint"])
    if twin is not None:
        origin["float_twin"] = twin
    network = replace(network, origin=json.dumps(origin, sort_keys=True))
    writable(output.parent)
    save_network(network, output)
    return network, equality


@singledispatch
def held_out_inputs(network: StoredNetwork, data: Path | str | None) -> NDArray[Any]:
    """Return what the network reads of its held-out data: images or words."""
    raise TypeError(f"{type(network).__name__} is of no known family")


@held_out_inputs.register
def _(network: Network, data: Path | str | None) -> NDArray[Any]:
    return held_out(network, data).test_images


@held_out_inputs.register
def _(network: WeightlessClassifier, data: Path | str | None) -> NDArray[Any]:
    return network.encoder.words(held_out_table(network, data).test_rows)


def _proven(network: StoredNetwork, model: object, inputs: NDArray[Any]) -> Equality:
    import torch

    def integers(batch: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
        named = model.integers(torch.from_numpy(batch))  # type: ignore[attr-defined]
        return {name: array.numpy() for name, array in named.items()}

    with progress("golden == torch", len(inputs)) as advance:
        equality = compare(integers, network, inputs, advance)
    if equality.mismatches:
        raise NotEqual(
            f"{equality.mismatches} of {equality.integers} integers differ between the trained "
            f"model and the golden run, first in {equality.where!r}; please report this as a bug"
        )
    return equality
