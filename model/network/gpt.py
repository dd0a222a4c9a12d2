"""Golden integer model of the decoder of text (docs/math.md, section 12)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lutformer.errors import UsageError

from ..attention import KVCache
from ..layer_norm import layer_norm
from ..linear import linear
from ..sampling import TEMPERATURE_BITS
from ..token_embedding import TokenEmbedding, embed_tokens
from ..vocabulary import Vocabulary
from .transformer import Transformer, run_blocks

__all__ = ["LOGIT_FRACTION", "Gpt", "GptState", "gpt", "step"]

LOGIT_FRACTION = 32
"""Fractional bits of :attr:`Gpt.logit_step`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gpt(Transformer):
    """A trained decoder in integers: tokens in, for each the logits of the token that follows.

    Attributes
    ----------
    vocabulary : Vocabulary
    embedding : TokenEmbedding
    block_size : int
        Tokens of a context, as it was trained.
    logit_step : int
        What 1 stands for in a logit, ``2**-32`` nats a step; no integer of a run depends on it.
    """

    vocabulary: Vocabulary
    embedding: TokenEmbedding
    block_size: int
    logit_step: int

    def __post_init__(self) -> None:
        super().__post_init__()
        size, positions = self.vocabulary.size, self.embedding.positions
        for name, rows in (
            ("embedding", len(self.embedding.token)),
            ("head", self.head.out_features),
        ):
            self.require(rows == size, f"{name} must have {size} rows, one a character, not {rows}")
        self.require(self.block_size >= 1, f"block_size must be positive, not {self.block_size!r}")
        self.require(
            positions in (0, self.block_size),
            f"embedding must have {self.block_size} positions or none, not {positions}",
        )
        for n, block in enumerate(self.blocks):
            self.require(block.attention.causal, f"blocks[{n}].attention must be causal")
        self.require(
            1 <= self.logit_step < 1 << LOGIT_FRACTION,
            f"logit_step must be 1 to 2**{LOGIT_FRACTION} - 1, not {self.logit_step!r}",
        )

    @property
    def width(self) -> int:
        """D, channels of the residual stream."""
        return self.embedding.token.shape[1]

    @property
    def endless(self) -> bool:
        """Whether a context has no end: running sums that decay are all that it leaves (Eq. 40)."""
        endless = all(block.attention.endless for block in self.blocks)
        return not self.embedding.positions and endless

    def temperature(self, nats: float) -> int:
        """Return a temperature in steps of a logit, as the choice of a token takes it (Eq. 43).

        Raises
        ------
        UsageError
            If it is negative, or more than a choice can hold.
        """
        most = (1 << TEMPERATURE_BITS) - 1
        step = self.logit_step * 2.0**-LOGIT_FRACTION
        if not 0 <= nats <= most * step:
            raise UsageError(f"Temperature must be 0 to {most * step:.3g}, not {nats:g}")
        return round(nats / step)

    def window(self, tokens: int) -> int:
        """Return the place of the first token of the context after ``tokens`` tokens (Eq. 40)."""
        if self.endless or tokens <= self.block_size:
            return 0
        stride = self.block_size - self.block_size // 2
        return -(-(tokens - self.block_size) // stride) * stride


class GptState:
    """The state of a context in each block; empty at first.

    Attributes
    ----------
    tokens : int
        Tokens taken in.
    caches : list of KVCache
        Keys and values, or running sums, of each block.
    """

    def __init__(self, network: Gpt) -> None:
        self.tokens = 0
        self.caches = [KVCache() for _ in network.blocks]


def gpt(network: Gpt, tokens: ArrayLike) -> dict[str, NDArray[np.integer]]:
    """Return every integer of a run over contexts [batch, n].

    By name, in order of computation: ``embedding`` [n, D]; those of :func:`run_blocks`; ``norm``
    [n, D]; ``logits`` [n, V], of the token after each one.

    Raises
    ------
    ValueError
        If the tokens are none of the network's, or more than a context has.
    """
    return step(network, GptState(network), tokens)


def step(network: Gpt, state: GptState, tokens: ArrayLike) -> dict[str, NDArray[np.integer]]:
    """Take the next tokens [batch, n] of contexts into ``state``; return their integers.

    They are those that :func:`gpt` has for these tokens, however the contexts are cut.

    Raises
    ------
    ValueError
        As :func:`gpt` does.
    """
    tokens = np.asarray(tokens)
    _check(network, tokens, state.tokens)
    x = embed_tokens(network.embedding, tokens, state.tokens)
    out: dict[str, NDArray[Any]] = {"embedding": x} | run_blocks(network, x, state.caches)
    state.tokens += tokens.shape[1]
    out["norm"] = layer_norm(network.norm, out[f"blocks.{len(network.blocks) - 1}.mlp"])
    out["logits"] = linear(network.head, out["norm"])  # Eq. 39
    return out


def _check(network: Gpt, tokens: NDArray[Any], before: int) -> None:
    if tokens.ndim != 2 or not tokens.size or tokens.dtype.kind not in "iu":
        raise ValueError(
            f"Tokens must be integers of shape (contexts, n), not {tokens.dtype} {tokens.shape}"
        )
    size, last = network.vocabulary.size, before + tokens.shape[1]
    if not 0 <= tokens.min() <= tokens.max() < size:
        raise ValueError(
            f"Tokens must lie between 0 and {size - 1}, "
            f"not between {tokens.min()} and {tokens.max()}"
        )
    if not network.endless and last > network.block_size:
        raise ValueError(f"A context has {network.block_size} tokens at most, not {last}")
