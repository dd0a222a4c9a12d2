"""Configuration of a decoder and its training: frozen, validated, no torch."""

from dataclasses import dataclass, replace
from typing import Literal, Self

from ..storage.part import check
from ..vocabulary import MAX_CHARACTERS
from .transformer import BlockConfig, TransformerRecipe

__all__ = ["GptConfig", "GptRecipe"]


@dataclass(frozen=True, kw_only=True)
class GptConfig(BlockConfig):
    """Shape of a decoder, compatible with nanoGPT's.

    With learned positions a context ends at the block size. Without, and with attention that
    decays, it never ends.
    """

    vocabulary: int = 65  # V
    block_size: int = 64
    positions: Literal["learned", "none"] = "learned"
    tied: bool = True  # whether embedding and head are rounded from the same real numbers
    causal: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.between(2, MAX_CHARACTERS, "vocabulary")
        self.at_least(1, "block_size")
        check(self.causal, "GptConfig.causal must be true: a decoder does not see what follows")

    def float_twin(self) -> Self:
        """Return nanoGPT's block in this shape, with as much recency bias as this has."""
        decays = self.attention == "linear" and self.form == "and"
        return replace(super().float_twin(), alibi=self.alibi or decays)


@dataclass(frozen=True, kw_only=True)
class GptRecipe(TransformerRecipe):
    """How to train a decoder; an epoch is ``interval`` steps on random blocks of the text."""

    epochs: int = 4
    interval: int = 500  # steps between looks at the validation text
    batch: int = 12  # blocks of a step
    lr: float = 3e-3
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "interval")
        self.a_share("dropout")
        check(self.dropout < 1, f"GptRecipe.dropout must be less than 1, not {self.dropout!r}")
