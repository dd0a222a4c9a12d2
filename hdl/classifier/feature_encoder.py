"""Thermometer bits of the features of a weightless classifier."""

from collections.abc import Sequence
from itertools import groupby

from ...model.network.weightless_classifier import FeatureEncoder
from ..luts.comparators import above
from ..luts.graph import LutGraph

__all__ = ["encode"]


def encode(
    graph: LutGraph,
    words: Sequence[Sequence[int]],
    bits: Sequence[tuple[int, int]],
    encoder: FeatureEncoder,
) -> list[int]:
    """Return the nodes of some bits of the encoder (docs/math.md, Eq. 15).

    Parameters
    ----------
    words : sequence of sequence of int
        The bits of each feature's word, lowest first.
    bits : sequence of (int, int)
        Feature and threshold, ascending; thresholds below the largest word, none below the least.
    """
    nodes = []
    for feature, used in groupby(bits, key=lambda bit: bit[0]):
        thresholds = [threshold for _, threshold in used]
        nodes += above(graph, words[feature], thresholds, signed=encoder.signed)
    return nodes
