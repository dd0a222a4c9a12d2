"""From a checkpoint to the network file, checked against the model on the way."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .console import progress
from .errors import NotEqual
from .families import family_of
from .families.equality import Equality, Integers, compare
from .families.held_out import NoData
from .model.data.images import DataError
from .model.network.network_file import save_network
from .model.network.stored_network import StoredNetwork
from .training import twin_record
from .workspace import writable

Kind = TypeVar("Kind", bound=StoredNetwork)

__all__ = ["checked", "export_network", "remember"]


def export_network(
    checkpoint: Path, output: Path, data: Path | str | None = None
) -> tuple[StoredNetwork, Equality | None]:
    """Write the network of ``checkpoint``; return it and the comparison's counts.

    The model's integers on all held-out inputs are compared with those of the golden run. None
    is returned for the comparison if nobody says what the data are. The network's ``origin``
    remembers the comparison and the float twin, if one was trained beside the checkpoint.

    Raises
    ------
    NotEqual
        If any integer differs; nothing is written.
    """
    from .model.nn.training.checkpoint import export_checkpoint, load_checkpoint

    network = export_checkpoint(checkpoint)
    family = family_of(network)
    equality = None
    try:
        inputs, _ = family.held_out_inputs(network, data)
    except (NoData, DataError):
        if data is not None:
            raise
    else:
        model = _integers_of(load_checkpoint(checkpoint).build())
        equality = checked("golden == torch", model, partial(family.integers, network), inputs)
        network = remember(network, equality)
    origin = json.loads(network.origin)
    twin = twin_record(checkpoint.parent, origin["data"]["fingerprint"])
    if twin is not None:
        network = replace(network, origin=json.dumps(origin | {"float_twin": twin}, sort_keys=True))
    writable(output.parent)
    save_network(network, output)
    return network, equality


def _integers_of(model: object) -> Integers:
    """Return the integers of a torch model as a function between arrays."""
    import torch

    def integers(batch: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
        named = model.integers(torch.from_numpy(batch))  # type: ignore[attr-defined]
        return {name: array.numpy() for name, array in named.items()}

    return integers


def checked(what: str, integers: Integers, truth: Integers, inputs: NDArray[Any]) -> Equality:
    """Compare every integer of all inputs, with a bar that says ``what``.

    Raises
    ------
    NotEqual
        If one differs.
    """
    with progress(what, len(inputs)) as advance:
        equality = compare(integers, truth, inputs, advance)
    if equality.mismatches:
        raise NotEqual(
            f"{equality.mismatches} of {equality.integers} integers differ between the trained "
            f"model and the golden run, first in {equality.where!r}; please report this as a bug"
        )
    return equality


def remember(network: Kind, equality: Equality) -> Kind:
    """Return ``network`` with the comparison's counts in its origin."""
    golden = {"images": equality.inputs, "integers": equality.integers}
    origin = json.loads(network.origin) | {"golden": golden}
    return replace(network, origin=json.dumps(origin, sort_keys=True))
