"""A weightless classifier as a graph of lookup tables."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...model.network.lut_pruning import PartialLut, PrunedClassifier
from ..luts.decomposition import decompose
from ..luts.graph import LutGraph
from ..luts.popcounts import count_ones
from .class_tree import largest

__all__ = ["Results", "classify"]


@dataclass(frozen=True)
class Results:
    """Nodes of the outputs, digits lowest first."""

    index: list[int]
    counts: list[list[int]]


def classify(
    graph: LutGraph, bits: Sequence[int], pruned: PrunedClassifier, widths: tuple[int, ...]
) -> Results:
    """Return the class and the counts (docs/math.md, Eq. 16, 37, 21) for the encoder's bits.

    ``widths`` as in :func:`.lut_decomposition.decompose`.
    """
    for layer in pruned.layers:
        bits = [_look_up(graph, bits, lut, widths) for lut in layer]
    readers = Counter(bits[n] for group in pruned.groups for n in group)
    shared = frozenset(bit for bit, times in readers.items() if times > 1)
    counts = [
        count_ones(graph, [bits[n] for n in group], constant, shared=shared)
        for group, constant in zip(pruned.groups, pruned.constants, strict=True)
    ]
    return Results(largest(graph, counts), counts)


def _look_up(graph: LutGraph, bits: Sequence[int], lut: PartialLut, widths: tuple[int, ...]) -> int:
    nodes = [bits[n] for n in lut.inputs]
    for sources, table in decompose(len(lut.inputs), lut.on, lut.off, widths):
        nodes.append(graph.lut([nodes[n] for n in sources], table))
    return nodes[-1]
