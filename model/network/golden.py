"""Golden integer run of a whole network: the composition of its components' golden functions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arithmetic import Integers
from ..embedding import embed
from ..layer_norm import layer_norm
from ..linear import linear
from ..pooling import pool
from .transformer import run_blocks
from .vit import Network

__all__ = ["Golden", "argmax", "golden"]


@dataclass(frozen=True, kw_only=True)
class Golden:
    """Every integer that a run over images produces.

    Attributes
    ----------
    integers : dict of str to array [images, ...]
        By name, in order of computation: ``embedding`` [n, D]; those of :func:`run_blocks`;
        ``pooled`` and ``norm`` [D]; ``logits`` [classes].
    """

    integers: dict[str, NDArray[np.integer]]

    @property
    def logits(self) -> Integers:
        """Head accumulators, [images, classes]."""
        return self.integers["logits"].astype(np.int64)

    @property
    def classes(self) -> Integers:
        """Index of the largest logit of each image."""
        return argmax(self.logits)


def argmax(logits: Integers) -> Integers:
    """Return the index of the largest entry along the last axis, the lowest of equals (Eq. 21)."""
    return np.argmax(logits, axis=-1)


def golden(network: Network, images: NDArray[np.uint8], batch: int = 64) -> Golden:
    """Run uint8 images [images, height, width, channels], ``batch`` at a time.

    Raises
    ------
    ValueError
        If the images do not have the network's shape.
    """
    e = network.embedding
    shape = (e.height, e.width, e.channels)
    if images.ndim != 4 or images.shape[1:] != shape or not len(images) or images.dtype != np.uint8:
        raise ValueError(
            f"Images must be uint8 of shape (images, {', '.join(map(str, shape))}), "
            f"not {images.dtype} {images.shape}"
        )
    runs = [_run(network, images[n : n + batch]) for n in range(0, len(images), batch)]
    return Golden(integers={name: np.concatenate([run[name] for run in runs]) for name in runs[0]})


def _run(network: Network, images: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    x = embed(network.embedding, images, network.requant_shift)
    out: dict[str, NDArray[Any]] = {"embedding": x} | run_blocks(network, x)
    x = out[f"blocks.{len(network.blocks) - 1}.mlp"]
    out["pooled"] = x[:, 0] if network.embedding.class_token else pool(x)
    out["norm"] = layer_norm(network.norm, out["pooled"])
    out["logits"] = linear(network.head, out["norm"])  # Eq. 20
    return out
