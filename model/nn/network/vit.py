"""Vision transformer: quantised or float, in training and in integers."""

import torch
from torch import Tensor

from ...config.transformer import VitConfig
from ..embedding import Embedding
from ..pooling import Pooling
from .transformer import Transformer

__all__ = ["VisionTransformer"]


class VisionTransformer(Transformer[VitConfig]):
    """Bytes [images, height, width, channels] in, logits [images, classes] out.

    In training mode, and always for a model with no integer form, logits are real. In eval mode
    they are the accumulators of the integer network, equal to those of the golden run.

    Parameters
    ----------
    config : VitConfig
    """

    def __init__(self, config: VitConfig) -> None:
        super().__init__(config)
        self.embedding = Embedding(config, self.ramp)
        self.pooling = Pooling(config.pooling, self.rounding)
        self.add_blocks(config.classes)

    def forward(self, images: Tensor) -> Tensor:
        if self.config.exact and not self.training:
            return self.integers(images)["logits"]
        x = self.embedding(images)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(self.pooling(x)))

    @torch.no_grad()
    def integers(self, images: Tensor) -> dict[str, Tensor]:
        """Return every integer that a run over ``images`` makes, named as in ``golden``, int64."""
        shift = self.requant_shift
        x = self.embedding.integers(images, shift)
        out = {"embedding": x} | self.run_blocks(x, shift)
        out["pooled"] = self.pooling.integers(out[f"blocks.{len(self.blocks) - 1}.mlp"])
        out["norm"] = self.norm.integers(out["pooled"])
        out["logits"] = self.head.accumulate(out["norm"])  # Eq. 20
        return out
