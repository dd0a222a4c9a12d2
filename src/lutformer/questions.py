"""Which images a board is asked about, and how they are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import UsageError
from .held_out import held_out
from .images import read_images
from .model.network import Network

__all__ = ["Questions", "questions"]


@dataclass(frozen=True, kw_only=True)
class Questions:
    """Images [images, height, width, channels] and a name for each."""

    images: NDArray[np.uint8]
    names: tuple[str, ...]


def questions(
    network: Network,
    files: Sequence[Path],
    indices: Sequence[int],
    data: Path | None,
    *,
    raw: bool = False,
) -> Questions:
    """Collect images from files and, by index, from the held-out part of the network's dataset."""
    found: list[NDArray[np.uint8]] = []
    names: list[str] = []
    for file in files:
        some = read_images(file, network, raw=raw)
        found.append(some)
        names += [file.name if len(some) == 1 else f"{file.name}[{n}]" for n in range(len(some))]
    if indices:
        dataset = held_out(network, data)
        beyond = [index for index in indices if index >= len(dataset.test_images)]
        if beyond:
            raise UsageError(
                f"There is no held-out image {beyond[0]}: {dataset.name} has "
                f"{len(dataset.test_images)}, counted from 0"
            )
        found.append(dataset.test_images[list(indices)])
        names += [
            f"{dataset.name}[{index}], a {dataset.class_names[dataset.test_labels[index]]}"
            for index in indices
        ]
    if not found:
        raise UsageError("Give image files, or --index for images of the dataset")
    return Questions(images=np.concatenate(found), names=tuple(names))
