"""Arithmetic on words of an and-inverter graph, bit 0 first, in the plainest way there is."""

from collections.abc import Sequence
from itertools import zip_longest

from .aig import FALSE, TRUE, Aig, Literal

__all__ = ["add", "exceeds", "first_largest", "larger", "total"]

Word = list[Literal]


def add(aig: Aig, a: Sequence[Literal], b: Sequence[Literal]) -> Word:
    """Return ``a + b`` of unsigned words, one bit longer than the longer one, by rippling."""
    carry, digits = FALSE, Word()
    for x, y in zip_longest(a, b, fillvalue=FALSE):
        half = aig.xor(x, y)
        digits.append(aig.xor(half, carry))
        carry = aig.or_(aig.and_(x, y), aig.and_(half, carry))
    return [*digits, carry]


def total(aig: Aig, bits: Sequence[Literal]) -> Word:
    """Return how many of ``bits`` are set, in as many digits as that can have."""
    words: list[Word] = [[bit] for bit in bits]
    while len(words) > 1:
        sums = [add(aig, a, b) for a, b in zip(words[::2], words[1::2], strict=False)]
        words = sums + words[2 * len(sums) :]
    return words[0][: len(bits).bit_length()] if words else []


def larger(aig: Aig, a: Sequence[Literal], b: Sequence[Literal]) -> Literal:
    """Return ``a > b`` of unsigned words."""
    above = FALSE
    for x, y in zip_longest(a, b, fillvalue=FALSE):
        above = aig.mux(above, x, aig.xor(x, y))
    return above


def exceeds(aig: Aig, word: Sequence[Literal], threshold: int, *, signed: bool) -> Literal:
    """Return ``word > threshold``; the threshold may lie outside of what a word can be."""
    bias = 1 << len(word) - 1 if signed else 0
    biased = [*word[:-1], word[-1] ^ int(signed)]
    limit = threshold + bias
    if limit < 0:
        return TRUE
    if limit >= (1 << len(word)) - 1:
        return FALSE
    return larger(aig, biased, [limit >> n & 1 for n in range(len(word))])


def first_largest(aig: Aig, words: Sequence[Sequence[Literal]]) -> Word:
    """Return the index of the largest word, the lowest of equals."""
    ranked: list[tuple[Sequence[Literal], Word]] = [
        (word, [n >> place & 1 for place in range((len(words) - 1).bit_length())])
        for n, word in enumerate(words)
    ]
    while len(ranked) > 1:
        pairs = zip(ranked[::2], ranked[1::2], strict=False)
        winners = [_winner(aig, left, right) for left, right in pairs]
        ranked = winners + ranked[2 * len(winners) :]
    return ranked[0][1]


def _winner(
    aig: Aig, left: tuple[Sequence[Literal], Word], right: tuple[Sequence[Literal], Word]
) -> tuple[Sequence[Literal], Word]:
    wins = larger(aig, right[0], left[0])
    word, index = (
        [aig.mux(x, y, wins) for x, y in zip_longest(*both, fillvalue=FALSE)]
        for both in zip(left, right, strict=True)
    )
    return word, index
