"""Shuffled and augmented batches of training images."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config.transformer import TrainConfig
from ...data.images import Dataset

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


def shifted(images: NDArray[np.uint8], reach: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move each image by up to ``reach`` pixels down and across at random, filling with 0.

    Fractions of a pixel are interpolated linearly.
    """
    count, height, width = images.shape[:3]
    edge = int(np.ceil(reach)) + 1
    padded = np.pad(images, ((0, 0), (edge, edge), (edge, edge), (0, 0))).astype(np.float32)
    moves = rng.uniform(-reach, reach, (2, count)).astype(np.float32)
    whole = np.floor(moves).astype(np.int64)
    down, across = (moves - whole)[..., None, None, None]

    def moved(one_down: int, one_across: int) -> NDArray[np.float32]:
        rows = whole[0][:, None] + edge + one_down + np.arange(height)
        columns = whole[1][:, None] + edge + one_across + np.arange(width)
        return padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]

    upper = (1 - across) * moved(0, 0) + across * moved(0, 1)
    lower = (1 - across) * moved(1, 0) + across * moved(1, 1)
    return np.floor((1 - down) * upper + down * lower + 0.5).astype(np.uint8)
