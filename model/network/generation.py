"""Text token by token, in windows of a context (docs/math.md, Eq. 40)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arithmetic import Integers
from .gpt import Gpt, GptState, step

__all__ = ["Choice", "Generated", "generate"]

Choice = Callable[[Integers], int]
"""From logits [V] to the token that is to follow."""


@dataclass(frozen=True, kw_only=True)
class Generated:
    """One token, and the logits that it was chosen from.

    Attributes
    ----------
    token : int
    integers : dict of str to array
        Of the token before it, by name, as those of :func:`~lutformer.model.network.gpt.gpt`.
    """

    token: int
    integers: dict[str, NDArray[np.integer]]


def generate(network: Gpt, prompt: ArrayLike, choose: Choice) -> Iterator[Generated]:
    """Yield the tokens that follow ``prompt`` [n], without end.

    Each is chosen from the logits of the token before it; when the context is full, its latest
    part is taken in again from an empty state.
    """
    text = np.asarray(prompt, np.int64).tolist()
    state, start = GptState(network), 0
    while True:
        if network.window(len(text)) != start:
            state, start = GptState(network), network.window(len(text))
        integers = step(network, state, [text[start + state.tokens :]])
        last = {name: x[0, -1] for name, x in integers.items()}
        token = choose(last["logits"])
        yield Generated(token=token, integers=last)
        text.append(token)
