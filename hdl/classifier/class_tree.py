"""The class of the largest count, by a tree of comparisons made of lookup tables."""

from collections.abc import Sequence

from ..luts.graph import ZERO, LutGraph

__all__ = ["largest"]


def largest(graph: LutGraph, counts: Sequence[Sequence[int]]) -> list[int]:
    """Return the digits of the index of the largest count, the lowest of equals (Eq. 21).

    Counts are given by their digits, lowest first, and may differ in length.
    """
    width = max(map(len, counts))
    level = [([*count, *([ZERO] * (width - len(count)))], list[int]()) for count in counts]
    while len(level) > 1:
        pairs = list(zip(level[::2], level[1::2], strict=False))
        last = len(level) <= 2
        level = [_winner(graph, a, b, last) for a, b in pairs] + level[2 * len(pairs) :]
    digits = level[0][1]
    return digits[: (len(counts) - 1).bit_length()]


def _winner(
    graph: LutGraph,
    left: tuple[list[int], list[int]],
    right: tuple[list[int], list[int]],
    last: bool,
) -> tuple[list[int], list[int]]:
    """Return count and index of the larger one; equals go to the left, whose index is lower."""
    wins = _greater(graph, right[0], left[0])
    high = max(len(left[1]), len(right[1]))
    a, b = ([*index, *([ZERO] * (high - len(index)))] for index in (left[1], right[1]))

    def chosen(low: int, high: int) -> int:
        return graph.apply(lambda w, a, b: b if w else a, wins, low, high)

    count = [] if last else [chosen(x, y) for x, y in zip(left[0], right[0], strict=True)]
    return count, [*(chosen(x, y) for x, y in zip(a, b, strict=True)), wins]


def _greater(graph: LutGraph, a: Sequence[int], b: Sequence[int]) -> int:
    """Return ``a > b``, two digits and then one at a time from the lowest."""
    pair = [*a[:2], *b[:2]]
    if len(a) == 1:
        return graph.apply(lambda a, b: a > b, *pair)
    node = graph.apply(lambda a0, a1, b0, b1: a0 + 2 * a1 > b0 + 2 * b1, *pair)
    for x, y in zip(a[2:], b[2:], strict=True):
        node = graph.apply(lambda a, b, below: a > b or (a == b and below), x, y, node)
    return node
