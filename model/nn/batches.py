"""Shuffled and augmented batches of training images."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config import TrainConfig
from ..data import Dataset

__all__ = ["batches", "shifted"]


def batches(
    data: Dataset, config: TrainConfig, epoch: int, device: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield images and labels of one epoch; everything random depends on seed and epoch alone."""
    rng = np.random.default_rng((config.seed, epoch))
    images, labels = data.train_images, data.train_labels
    if config.shift:
        images = shifted(images, config.shift, rng)
    order = rng.permutation(len(labels))
    for start in range(0, len(order), config.batch):
        index = order[start : start + config.batch]
        yield torch.from_numpy(images[index]).to(device), torch.from_numpy(labels[index]).to(device)


def shifted(images: NDArray[np.uint8], reach: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move each image by up to ``reach`` pixels down and across at random, filling with 0."""
    count, height, width = images.shape[:3]
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    down, across = rng.integers(0, 2 * reach + 1, (2, count))
    rows = down[:, None] + np.arange(height)
    columns = across[:, None] + np.arange(width)
    return padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
