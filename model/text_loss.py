"""How well a decoder predicts a text that it has not seen."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arithmetic import Integers
from .gpt import LOGIT_FRACTION, Gpt, gpt
from .text import Text

__all__ = ["golden_loss", "held_out_loss", "text_loss"]

BATCH = 32
"""Blocks at a time."""

Logits = NDArray[Any]
"""Real, or integer with a step."""


def text_loss(logits: Logits, following: Integers, step: float) -> NDArray[np.float64]:
    """Return the nats by which logits [..., V] miss the tokens that follow [...].

    ``step`` is what 1 stands for in a logit, in nats.
    """
    scores = logits.astype(np.float64) * step
    top = scores.max(-1, keepdims=True)
    total = np.log(np.exp(scores - top).sum(-1)) + top[..., 0]
    return total - np.take_along_axis(scores, following[..., None], -1)[..., 0]


def held_out_loss(
    logits_of: Callable[[Integers], Logits], text: Text, size: int, step: float
) -> tuple[float, float]:
    """Return loss in nats and accuracy over the whole held-out part, in blocks of ``size`` tokens.

    They do not overlap; ``logits_of`` takes some of them [blocks, size].
    """
    inputs, following = text.held_out(size)
    loss = hits = 0.0
    for start in range(0, len(inputs), BATCH):
        logits, true = logits_of(inputs[start : start + BATCH]), following[start : start + BATCH]
        loss += float(text_loss(logits, true, step).sum())
        hits += float((logits.argmax(-1) == true).sum())
    return loss / following.size, hits / following.size


def golden_loss(network: Gpt, text: Text) -> tuple[float, float]:
    """Return loss and accuracy of the golden run, as :func:`held_out_loss` does."""
    step = network.logit_step * 2.0**-LOGIT_FRACTION
    return held_out_loss(
        lambda blocks: gpt(network, blocks)["logits"], text, network.block_size, step
    )
