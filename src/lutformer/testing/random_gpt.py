"""Decoders of any shape with random weights: for tests, and to size hardware early."""

from dataclasses import dataclass

from ..model.network.gpt import Gpt
from ..model.token_embedding import TokenEmbedding
from ..model.vocabulary import Vocabulary
from .draw import SHIFT, BlockShape, Draw

__all__ = ["GptShape", "random_gpt"]


@dataclass(frozen=True, kw_only=True)
class GptShape(BlockShape):
    """Everything about a decoder but its weights."""

    vocabulary: int = 11  # V
    block_size: int = 8
    positions: bool = True
    causal: bool = True


def random_gpt(shape: GptShape, seed: int = 0) -> Gpt:
    """Return a decoder whose activations use their ranges, so that a fault shows."""
    draw = Draw(shape, seed)
    positions = shape.block_size if shape.positions else 0
    return Gpt(
        vocabulary=Vocabulary(
            characters="".join(chr(ord("\n") + n) for n in range(shape.vocabulary))
        ),
        embedding=TokenEmbedding(
            token=draw.rng.integers(-3000, 3001, (shape.vocabulary, shape.dim)),
            position=draw.rng.integers(-800, 801, (positions, shape.dim)),
        ),
        blocks=draw.blocks(),
        head=draw.linear(shape.vocabulary, shape.dim),
        fraction=5,
        requant_shift=SHIFT,
        block_size=shape.block_size,
        logit_step=int(draw.rng.integers(1 << 20, 1 << 24)),
    )
