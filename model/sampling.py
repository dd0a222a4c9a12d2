"""Choice of the next token in integers (docs/math.md, Eq. 41 to 43)."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .storage.part import check

__all__ = [
    "GUMBEL_BITS",
    "GUMBEL_FRACTION",
    "SEED_BITS",
    "TEMPERATURE_BITS",
    "TOP_K_BITS",
    "Sampler",
    "Sampling",
    "gumbel_table",
    "next_random",
]

GUMBEL_BITS = 10
"""Random bits that choose an entry of the table."""
GUMBEL_FRACTION = 8
"""Fractional bits of an entry."""
TEMPERATURE_BITS = 15
TOP_K_BITS = 16
SEED_BITS = 32


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Parameters of sampling.

    Attributes
    ----------
    temperature : int
        m, in steps of a logit; 0 for the likeliest token.
    top_k : int
        How many of the likeliest tokens are candidates; 0 for all.
    seed : int
        Of the random numbers, not 0.
    """

    temperature: int = 0
    top_k: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, low, bits in (
            ("temperature", 0, TEMPERATURE_BITS),
            ("top_k", 0, TOP_K_BITS),
            ("seed", 1, SEED_BITS),
        ):
            value = getattr(self, name)
            top = (1 << bits) - 1
            check(low <= value <= top, f"Sampling.{name} must be {low} to {top}, not {value!r}")

    def candidates(self, tokens: int) -> int:
        """Return how many of ``tokens`` tokens are candidates, each a random number (Eq. 43)."""
        return min(self.top_k or tokens, tokens)


class Sampler:
    """Chooses one token after the other.

    Parameters
    ----------
    sampling : Sampling

    Attributes
    ----------
    state : int
        Of the generator of random numbers.
    """

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.state = sampling.seed

    def __call__(self, logits: NDArray[np.integer]) -> int:
        """Return the token chosen from logits [V]."""
        count = self.sampling.top_k
        order = np.argsort(-logits.astype(np.int64), kind="stable")[:count] if count else None
        candidates = range(len(logits)) if order is None else order.tolist()
        values = [int(logits[token]) + self._noise() for token in candidates]
        return candidates[values.index(max(values))]

    def _noise(self) -> int:
        """Return the noise of the next candidate's logit (Eq. 43)."""
        self.state = next_random(self.state)
        entry = gumbel_table()[self.state >> SEED_BITS - GUMBEL_BITS]
        return entry * self.sampling.temperature >> GUMBEL_FRACTION


def next_random(state: int) -> int:
    """Return the state of the generator that follows ``state`` (Eq. 41)."""
    state ^= state << 13 & (1 << SEED_BITS) - 1
    state ^= state >> 17
    return state ^ state << 5 & (1 << SEED_BITS) - 1


@cache
def gumbel_table() -> tuple[int, ...]:
    """Return the entries by random bits (Eq. 42)."""
    size = 1 << GUMBEL_BITS
    return tuple(
        round(-math.log(-math.log((n + 0.5) / size)) * (1 << GUMBEL_FRACTION)) for n in range(size)
    )
