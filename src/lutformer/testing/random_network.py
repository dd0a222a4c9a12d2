"""Networks of any shape with random weights: for tests, and to size hardware early."""

from dataclasses import dataclass
from typing import Any

from ..model.embedding import Embedding
from ..model.network.vit import Network
from .draw import SHIFT, BlockShape, Draw

__all__ = [
    "SHIFT",
    "BlockShape",
    "Draw",
    "NetworkShape",
    "random_attention",
    "random_network",
]


@dataclass(frozen=True, kw_only=True)
class NetworkShape(BlockShape):
    """Everything about a network but its weights."""

    height: int = 4
    width: int = 4
    channels: int = 1
    patch_height: int = 2
    patch_width: int = 2
    class_token: bool = False
    classes: int = 3


def random_network(shape: NetworkShape, seed: int = 0) -> Network:
    """Return a network whose activations use their ranges, so that a fault shows."""
    draw = Draw(shape, seed)
    tokens = shape.height // shape.patch_height * (shape.width // shape.patch_width)
    tokens += shape.class_token
    patch = draw.linear(shape.dim, shape.patch_height * shape.patch_width * shape.channels, 4.0)
    embedding = Embedding(
        height=shape.height,
        width=shape.width,
        channels=shape.channels,
        patch_height=shape.patch_height,
        patch_width=shape.patch_width,
        class_token=shape.class_token,
        patch=patch,
        position=draw.rng.integers(-800, 801, (tokens, shape.dim)),
    )
    return Network(
        embedding=embedding,
        blocks=draw.blocks(),
        head=draw.linear(shape.classes, shape.dim),
        fraction=5,
        requant_shift=SHIFT,
        class_names=tuple(str(n) for n in range(shape.classes)),
    )


def random_attention(shape: BlockShape, seed: int = 0) -> tuple[Any, ...]:
    """Return the attention layers of a random network, one for each block."""
    draw = Draw(shape, seed)
    return tuple(draw.attention() for _ in range(shape.depth))
