"""Embedding of tokens, twin of ``model/token_embedding.py`` (docs/math.md, Eq. 38)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..arithmetic import RESIDUAL_BITS
from ..config.gpt import GptConfig
from .arithmetic import clamp, round_half_up
from .linear import INITIAL_STD
from .quantizer import RESIDUAL_STEP, Ramp, saturate

__all__ = ["TokenEmbedding"]


class TokenEmbedding(nn.Module):
    """Tokens [contexts, n] in, residual stream [contexts, n, D] out.

    The vectors of tokens come with every call, for they can be the head's.

    Parameters
    ----------
    config : GptConfig
    ramp : Ramp or None
        None leaves the output real (the float twin).
    """

    def __init__(self, config: GptConfig, ramp: Ramp | None) -> None:
        super().__init__()
        self.ramp = ramp
        positions = config.block_size if config.positions == "learned" else 0
        start = torch.randn(positions, config.dim) * INITIAL_STD
        self.position: Tensor
        if positions:
            self.position = nn.Parameter(start)
        else:  # as a parameter it would have no gradient, and an optimiser no memory of it
            self.register_buffer("position", start)

    def forward(self, tokens: Tensor, vectors: Tensor) -> Tensor:
        x = functional.embedding(tokens, self._rounded(vectors))
        if len(self.position):
            x = x + self._rounded(self.position)[: tokens.shape[1]]
        return saturate(x, RESIDUAL_BITS)

    def _rounded(self, vectors: Tensor) -> Tensor:
        units = vectors / RESIDUAL_STEP
        return units if self.ramp is None else self.ramp.round(units, RESIDUAL_BITS)

    def quantised(self, vectors: Tensor) -> Tensor:
        """Return vectors in residual units, int64."""
        return clamp(round_half_up(vectors.detach() / RESIDUAL_STEP), RESIDUAL_BITS).long()

    def integers(self, tokens: Tensor, vectors: Tensor) -> Tensor:
        """Return the first residual stream, int64."""
        x = self.quantised(vectors)[tokens]
        if len(self.position):
            x = x + self.quantised(self.position)[: tokens.shape[1]]
        return clamp(x, RESIDUAL_BITS)
