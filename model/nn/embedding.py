"""Patch embedding, twin of ``model/embedding.py`` (docs/math.md, Eq. 18)."""

import torch
from torch import Tensor, nn

from ..arithmetic import RESIDUAL_BITS
from ..config.transformer import VitConfig
from .arithmetic import clamp, round_half_up
from .linear import INITIAL_STD, Linear
from .quantizer import PIXEL_STEP, RESIDUAL_STEP, Ramp, saturate

__all__ = ["Embedding"]


class Embedding(nn.Module):
    """Bytes [images, height, width, channels] in, residual stream [images, n, D] out.

    Parameters
    ----------
    config : VitConfig
    ramp : Ramp
    """

    def __init__(self, config: VitConfig, ramp: Ramp) -> None:
        super().__init__()
        self.config, self.ramp = config, ramp
        self.patch = Linear(
            config.patch_pixels,
            config.dim,
            kind=config.weights,
            ramp=ramp,
            input_step=PIXEL_STEP,
            output_step=RESIDUAL_STEP,
        )
        self.position = nn.Parameter(torch.randn(config.tokens, config.dim) * INITIAL_STD)

    def forward(self, images: Tensor) -> Tensor:
        x = self.patch(self._patches(images).to(self.position.dtype))
        position = self.position / RESIDUAL_STEP
        if self.patch.kind != "float":
            x = self.ramp.round(x, RESIDUAL_BITS)
            position = self.ramp.round(position, RESIDUAL_BITS)
        return saturate(self._with_class_token(x) + position, RESIDUAL_BITS)

    def _patches(self, images: Tensor) -> Tensor:
        """Cut into [images, patches, pixels], centred on 0."""
        c = self.config
        cut = images.long().unflatten(2, (-1, c.patch_width)).unflatten(1, (-1, c.patch_height))
        return cut.transpose(2, 3).flatten(3).flatten(1, 2) - 128

    def _with_class_token(self, x: Tensor) -> Tensor:
        if self.config.pooling == "mean":
            return x
        return torch.cat([torch.zeros_like(x[:, :1]), x], dim=1)

    def positions(self) -> Tensor:
        """Return the positions in residual units, int64 [n, D]."""
        return clamp(round_half_up(self.position.detach() / RESIDUAL_STEP), RESIDUAL_BITS).long()

    def integers(self, images: Tensor, shift: int) -> Tensor:
        """Return the first residual stream, int64."""
        x = self.patch.integers(self._patches(images), shift, RESIDUAL_BITS)
        return clamp(self._with_class_token(x) + self.positions(), RESIDUAL_BITS)
