"""From a checkpoint to the network file, proven equal to the model on the way."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .console import progress
from .equality import Equality, NotEqual, compare
from .held_out import NoData, held_out
from .model.data import DataError
from .model.network import Network
from .model.network_file import save_network
from .training import twin_record
from .workspace import writable

__all__ = ["export_network"]


def export_network(
    checkpoint: Path, output: Path, data: Path | str | None = None
) -> tuple[Network, Equality | None]:
    """Write the network of ``checkpoint``; return it and what was compared.

    The model's integers on all held-out images are compared with those of the golden run. None
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
        images = held_out(network, data).test_images
    except (NoData, DataError):
        if data is not None:
            raise
    else:
        equality = _proven(network, load_checkpoint(checkpoint).build(), images)
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


def _proven(network: Network, model: object, images: NDArray[np.uint8]) -> Equality:
    import torch

    def integers(batch: NDArray[np.uint8]) -> dict[str, NDArray[np.integer]]:
        named = model.integers(torch.from_numpy(batch))  # type: ignore[attr-defined]
        return {name: array.numpy() for name, array in named.items()}

    with progress("golden == torch", len(images)) as advance:
        equality = compare(integers, network, images, advance)
    if equality.mismatches:
        raise NotEqual(
            f"{equality.mismatches} of {equality.integers} integers differ between the trained "
            f"model and the golden run, first in {equality.where!r}; please report this as a bug"
        )
    return equality
