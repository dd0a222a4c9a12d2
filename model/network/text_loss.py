"""The loss of a decoder on held-out text."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arithmetic import Integers
from ..data.text import Text
from .gpt import LOGIT_FRACTION, Gpt, GptState, gpt, step

__all__ = ["can_read_on", "endless_loss", "golden_loss", "held_out_loss", "text_loss"]

BATCH = 32
"""Blocks at a time, or parts of a text."""

Logits = NDArray[Any]
"""Real, or integer with a step."""


def text_loss(logits: Logits, following: Integers, unit: float) -> NDArray[np.float64]:
    """Return the nats by which logits [..., V] miss the tokens that follow [...].

    ``unit`` is what 1 stands for in a logit, in nats.
    """
    scores = logits.astype(np.float64) * unit
    top = scores.max(-1, keepdims=True)
    total = np.log(np.exp(scores - top).sum(-1)) + top[..., 0]
    return total - np.take_along_axis(scores, following[..., None], -1)[..., 0]


def held_out_loss(
    logits_of: Callable[[Integers], Logits], text: Text, size: int, unit: float
) -> tuple[float, float]:
    """Return loss in nats and accuracy over the whole held-out part, in blocks of ``size`` tokens.

    They do not overlap; ``logits_of`` takes some of them [blocks, size].
    """
    inputs, following = text.held_out(size)
    loss = hits = 0.0
    for start in range(0, len(inputs), BATCH):
        logits, true = logits_of(inputs[start : start + BATCH]), following[start : start + BATCH]
        loss += float(text_loss(logits, true, unit).sum())
        hits += float((logits.argmax(-1) == true).sum())
    return loss / following.size, hits / following.size


def golden_loss(network: Gpt, text: Text) -> tuple[float, float]:
    """Return loss and accuracy of the golden run, as :func:`held_out_loss` does."""
    return held_out_loss(
        lambda blocks: gpt(network, blocks)["logits"], text, network.block_size, _unit(network)
    )


def can_read_on(network: Gpt, text: Text) -> bool:
    """Return whether :func:`endless_loss` has contexts that are longer than a block."""
    return network.endless and (len(text.test_tokens) - 1) // BATCH > network.block_size


def endless_loss(network: Gpt, text: Text) -> float:
    """Return the loss in nats of an endless network that reads on from block to block.

    The held-out part is cut into :data:`BATCH` long parts, each one context.
    """
    length = (len(text.test_tokens) - 1) // BATCH
    inputs, following = text.held_out(length)
    state, losses = GptState(network), []
    for start in range(0, length, network.block_size):
        part = slice(start, start + network.block_size)
        logits = step(network, state, inputs[:BATCH, part])["logits"]
        losses.append(text_loss(logits, following[:BATCH, part], _unit(network)))
    return float(np.concatenate(losses, axis=1).mean())


def _unit(network: Gpt) -> float:
    return network.logit_step * 2.0**-LOGIT_FRACTION
