"""Comparisons of one word with several constants, in as few lookup tables as a search finds."""

from collections.abc import Sequence
from functools import cache
from itertools import combinations

from .graph import LutGraph

__all__ = ["above"]

SEARCHED_BITS = 8
"""Widest word whose comparisons are searched for over all of its values."""


def above(
    graph: LutGraph, word: Sequence[int], thresholds: Sequence[int], *, signed: bool
) -> list[int]:
    """Return the nodes of ``word > t`` for each of the ascending ``thresholds``.

    Up to four bits that matter take one table, each further three another one. Comparisons share
    tables of their lower bits; and one may read its neighbours, as a word that is above the next
    higher threshold, or not above the next lower one, needs no more looking at. Thresholds must
    lie within the word's range, its largest value excluded.
    """
    bias = 1 << len(word) - 1 if signed else 0  # biased words are ordered as unsigned numbers
    recipe, roots = _recipe(len(word), signed, tuple(t + bias for t in thresholds))
    nodes = graph.include(recipe, word)
    return [nodes[root] for root in roots]


@cache
def _recipe(bits: int, signed: bool, thresholds: tuple[int, ...]) -> tuple[LutGraph, list[int]]:
    """Return the smallest circuit found for a word of ``bits`` and biased thresholds."""
    found = [_chains(bits, signed, thresholds, cut) for cut in range(1, 5)]
    if bits <= SEARCHED_BITS:
        found.append(_neighbours(bits, signed, thresholds))
    return min(found, key=lambda recipe: (recipe[0].luts, max(recipe[0].levels)))


def _chains(
    bits: int, signed: bool, thresholds: Sequence[int], cut: int
) -> tuple[LutGraph, list[int]]:
    """Compare the bits below ``cut`` first, then three at a time."""
    graph = LutGraph()
    word = [graph.input() for _ in range(bits)]
    return graph, [_chain(graph, word, t, signed, cut) for t in thresholds]


def _chain(graph: LutGraph, word: Sequence[int], threshold: int, signed: bool, cut: int) -> int:
    limit = threshold + 1  # word >= limit
    place = (limit & -limit).bit_length() - 1  # bits below do not matter
    node: int | None = None
    while place < len(word):
        room = 4 if node is None else 3
        end = min(place + room, len(word))
        if node is None and end < len(word) and place < cut:
            end = min(end, cut)
        node = _compare(graph, word, limit, range(place, end), signed, node)
        place = end
    assert node is not None
    return node


def _compare(
    graph: LutGraph, word: Sequence[int], limit: int, bits: range, signed: bool, lower: int | None
) -> int:
    """Return ``word >= limit`` on some bits; ``lower`` decides if these bits are equal."""
    target = limit >> bits.start & (1 << len(bits)) - 1
    flip = 1 << len(bits) - 1 if signed and bits.stop == len(word) else 0
    table = 0
    for a in range(1 << len(bits)):
        value = a ^ flip
        equal = value == target
        table |= (value > target or (equal and lower is None)) << a
        table |= (value >= target) << (a | 1 << len(bits))
    sources = [word[n] for n in bits]
    if lower is None:
        return graph.lut(sources, table & (1 << (1 << len(bits))) - 1)
    return graph.lut([*sources, lower], table)


def _neighbours(bits: int, signed: bool, thresholds: Sequence[int]) -> tuple[LutGraph, list[int]]:
    """Return comparisons that one table can make from the word and existing comparisons."""
    graph = LutGraph()
    word = [graph.input() for _ in range(bits)]
    flip = 1 << bits - 1 if signed else 0
    sets = [sum(1 << v for v in range(1 << bits) if (v ^ flip) >> n & 1) for n in range(bits)]
    done: dict[int, int] = {}
    left = list(thresholds)
    while left:
        step = None
        for t in left:
            near = _nearest(done, t)
            signals = [*sets, *(_above_set(bits, s) for s in near)]
            nodes = [*word, *(done[s] for s in near)]
            fit = _fit(_above_set(bits, t), signals, bits)
            if fit is not None:
                step = t, graph.lut([nodes[n] for n in fit[0]], fit[1])
                break
        if step is None:  # the middle one helps its neighbours on both sides
            t = left[len(left) // 2]
            step = t, _chain(graph, word, t, signed, 3)
        done[step[0]] = step[1]
        left.remove(step[0])
    return graph, [done[t] for t in thresholds]


def _nearest(done: dict[int, int], threshold: int) -> list[int]:
    below = [t for t in done if t < threshold]
    higher = [t for t in done if t > threshold]
    return ([max(below)] if below else []) + ([min(higher)] if higher else [])


def _above_set(bits: int, threshold: int) -> int:
    """Return the set of biased words above a threshold, bit ``v`` for word ``v``."""
    return (1 << (1 << bits)) - (1 << threshold + 1)


def _fit(target: int, signals: Sequence[int], bits: int) -> tuple[tuple[int, ...], int] | None:
    """Find up to four signals that decide ``target``, and the table over them."""
    everything = (1 << (1 << bits)) - 1
    for size in range(1, 5):
        for chosen in combinations(range(len(signals)), size):
            cells = [everything]
            for n in chosen:
                cells = [cell & ~signals[n] for cell in cells] + [
                    cell & signals[n] for cell in cells
                ]
            if all(cell & target in (0, cell) for cell in cells):
                table = sum(1 << a for a, cell in enumerate(cells) if cell and cell & target)
                return chosen, table
    return None
