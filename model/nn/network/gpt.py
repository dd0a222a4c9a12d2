"""Decoder of text, twin of ``model/network/gpt.py``: quantised or float, or in integers."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...config.gpt import GptConfig
from ...network.gpt import LOGIT_FRACTION
from ..linear import INITIAL_STD
from ..token_embedding import TokenEmbedding
from .transformer import Transformer

__all__ = ["Gpt"]


class Gpt(Transformer[GptConfig]):
    """Tokens [contexts, n] in, logits [contexts, n, V] of the tokens after them out.

    In training mode, and always for a model with no integer form, logits are real. In eval mode
    they are the accumulators of the integer network, equal to those of the golden run.

    Parameters
    ----------
    config : GptConfig

    Attributes
    ----------
    dropout : float
        Share of the embeddings and increments that are left out in training.
    """

    def __init__(self, config: GptConfig) -> None:
        super().__init__(config)
        self.embedding = TokenEmbedding(config, self.rounding)
        if not config.tied:
            self.token_weight = nn.Parameter(
                torch.randn(config.vocabulary, config.dim) * INITIAL_STD
            )
        self.add_blocks(config.vocabulary)
        self.dropout = 0.0

    @property
    def vectors(self) -> Tensor:
        """The token embeddings, in real numbers [V, D]."""
        return self.head.weight if self.config.tied else self.token_weight

    def drop(self, share: float) -> None:
        """Leave out that share in training, everywhere."""
        self.dropout = share
        for block in self.blocks:
            block.dropout = share  # type: ignore[assignment]

    def forward(self, tokens: Tensor) -> Tensor:
        if self.config.exact and not self.training:
            return self.integers(tokens)["logits"]
        x = self.embedding(tokens, self.vectors)
        if self.dropout:
            x = functional.dropout(x, self.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    @property
    def logit_step(self) -> int:
        """The real value of 1 in an integer logit, in the unit of the network file."""
        step = float(self.head.gain()[0]) * 2.0**LOGIT_FRACTION
        return min(max(round(step), 1), 2**LOGIT_FRACTION - 1)

    @torch.no_grad()
    def integers(self, tokens: Tensor) -> dict[str, Tensor]:
        """Return every integer of a run over ``tokens``, named as in the golden run, int64."""
        x = self.embedding.integers(tokens, self.vectors)
        out = {"embedding": x} | self.run_blocks(x, self.requant_shift)
        out["norm"] = self.norm.integers(out[f"blocks.{len(self.blocks) - 1}.mlp"])
        out["logits"] = self.head.accumulate(out["norm"])  # Eq. 39
        return out
