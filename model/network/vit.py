"""The contract between training and hardware, of vision transformers: a tree of integers."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..embedding import Embedding
from .transformer import Transformer

__all__ = ["Network"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Network(Transformer):
    """A trained vision transformer in integers.

    Attributes
    ----------
    class_names : tuple of str
    pixel_max : int
        Largest raw pixel value of the dataset; it maps to byte 255.
    """

    embedding: Embedding
    class_names: tuple[str, ...]
    pixel_max: int = 255

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(
            len(self.class_names) == self.head.out_features,
            f"class_names must name {self.head.out_features} classes, not {len(self.class_names)}",
        )
        self.require(
            1 <= self.pixel_max <= 65535,
            f"pixel_max must be 1 to 65535, not {self.pixel_max!r}",
        )

    @property
    def width(self) -> int:
        """D, channels of the residual stream."""
        return self.embedding.patch.out_features

    def pack(self, inputs: NDArray[Any]) -> list[bytes]:
        """Return the bytes of each image of [images, height, width, channels]."""
        return [image.tobytes() for image in inputs]

    @property
    def tokens(self) -> int:
        """n, length of the sequence."""
        return self.embedding.tokens

    @property
    def classes(self) -> int:
        """Number of logits."""
        return self.head.out_features
