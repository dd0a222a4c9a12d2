"""The inputs to classify on a board, and their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model.network.stored_network import StoredNetwork
from .lookup import family_of

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
    family = family_of(network)
    unit = family.example
    found: list[NDArray[Any]] = []
    names: list[str] = []
    for file in files:
        some = family.read(network, file, raw=raw)
        found.append(some)
        names += [file.name if len(some) == 1 else f"{file.name}[{n}]" for n in range(len(some))]
    if indices:
        known = family.labelled(network, data)
        beyond = [index for index in indices if index >= len(known.labels)]
        if beyond:
            raise UsageError(
                f"There is no held-out {unit.singular} {beyond[0]}: {known.name} has "
                f"{len(known.labels)}, counted from 0"
            )
        found.append(known.inputs[list(indices)])
        names += [
            f"{known.name}[{index}], a {known.class_names[known.labels[index]]}"
            for index in indices
        ]
    if not found:
        raise UsageError(
            f"Give files of {unit.plural}, or --index for held-out {unit.plural} of the dataset"
        )
    return Questions(inputs=np.concatenate(found), names=tuple(names))
