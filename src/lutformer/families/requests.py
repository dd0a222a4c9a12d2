"""The inputs to classify on a board, and their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model.network.stored_network import StoredNetwork
from ..model.network.vit import Network
from ..model.network.weightless_classifier import WeightlessClassifier
from .images import read_images
from .labelled import labelled
from .table_rows import read_rows

__all__ = ["Questions", "questions"]


@dataclass(frozen=True, kw_only=True)
class Questions:
    """Images or words [inputs, ...] and a name for each."""

    inputs: NDArray[Any]
    names: tuple[str, ...]


def questions(
    network: StoredNetwork,
    files: Sequence[Path],
    indices: Sequence[int],
    data: Path | None,
    *,
    raw: bool = False,
) -> Questions:
    """Collect inputs from files and, by index, from the held-out part of the network's dataset."""
    found: list[NDArray[Any]] = []
    names: list[str] = []
    for file in files:
        some = _read(network, file, raw)
        found.append(some)
        names += [file.name if len(some) == 1 else f"{file.name}[{n}]" for n in range(len(some))]
    if indices:
        known = labelled(network, data)
        beyond = [index for index in indices if index >= len(known.labels)]
        if beyond:
            raise UsageError(
                f"There is no held-out input {beyond[0]}: {known.name} has "
                f"{len(known.labels)}, counted from 0"
            )
        found.append(known.inputs[list(indices)])
        names += [
            f"{known.name}[{index}], a {known.class_names[known.labels[index]]}"
            for index in indices
        ]
    if not found:
        raise UsageError("Give files of inputs, or --index for held-out inputs of the dataset")
    return Questions(inputs=np.concatenate(found), names=tuple(names))


@singledispatch
def _read(network: StoredNetwork, file: Path, raw: bool) -> NDArray[Any]:
    """Return the inputs in a file."""
    raise TypeError(f"{type(network).__name__} has no files of inputs")


@_read.register
def _(network: Network, file: Path, raw: bool) -> NDArray[Any]:
    return read_images(file, network, raw=raw)


@_read.register
def _(network: WeightlessClassifier, file: Path, raw: bool) -> NDArray[Any]:
    if raw:
        raise UsageError("--raw is for transformers: a weightless classifier reads raw features")
    return read_rows(file, network)
