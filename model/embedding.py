"""Golden integer model of the patch embedding (docs/math.md, Eq. 18)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arithmetic import RESIDUAL_BITS, Integers, clamp
from .linear import Linear, scaled_linear
from .storage.part import Part, check

__all__ = ["Embedding", "embed", "patches"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding(Part):
    """Patch projection and positions.

    Attributes
    ----------
    height, width, channels : int
        Of the image, in pixels.
    patch_height, patch_width : int
        Divide the image's.
    class_token : bool
        Whether token 0 is a learned vector (kept in ``position[0]``) instead of a patch.
    patch : Linear [D, patch_height * patch_width * channels]
    position : int16 [tokens, D]
    """

    height: int
    width: int
    channels: int
    patch_height: int
    patch_width: int
    class_token: bool
    patch: Linear
    position: NDArray[Any]

    def __post_init__(self) -> None:
        for name in ("height", "width", "channels", "patch_height", "patch_width"):
            value = getattr(self, name)
            check(value >= 1, f"Embedding.{name} must be at least 1, not {value!r}")
        check(
            self.height % self.patch_height == 0 and self.width % self.patch_width == 0,
            f"Embedding patch {self.patch_height}x{self.patch_width} must divide the image "
            f"{self.height}x{self.width}",
        )
        shape = self.freeze("position", np.int16, 2).shape
        expected = (self.tokens, self.patch.out_features)
        check(shape == expected, f"Embedding.position must have shape {expected}, not {shape}")
        size = self.patch_height * self.patch_width * self.channels
        columns = self.patch.in_features
        check(columns == size, f"Embedding.patch must read {size} pixels, not {columns}")

    @property
    def grid(self) -> tuple[int, int]:
        """Patches down and across."""
        return self.height // self.patch_height, self.width // self.patch_width

    @property
    def tokens(self) -> int:
        """Number of tokens, the class token included."""
        return self.grid[0] * self.grid[1] + self.class_token

    @property
    def pixels(self) -> int:
        """Number of bytes of an image, channels last."""
        return self.height * self.width * self.channels


def patches(layer: Embedding, images: NDArray[Any]) -> NDArray[Any]:
    """Cut uint8 [..., height, width, channels] into int8 [..., patches, pixels of a patch].

    Patches go row by row; inside one, pixels go row by row, channels last. 128 is subtracted.
    """
    rows, columns = layer.grid
    lead = images.shape[:-3]
    cut = images.astype(np.int64).reshape(
        *lead, rows, layer.patch_height, columns, layer.patch_width, layer.channels
    )
    return np.moveaxis(cut, -3, -4).reshape(*lead, rows * columns, -1) - 128


def embed(layer: Embedding, images: NDArray[Any], shift: int) -> Integers:
    """Return the first residual stream, int16 [..., tokens, D] (Eq. 18)."""
    x = scaled_linear(layer.patch, patches(layer, images), shift, RESIDUAL_BITS)
    if layer.class_token:
        x = np.concatenate([np.zeros_like(x[..., :1, :]), x], axis=-2)
    return clamp(x + layer.position, RESIDUAL_BITS)
