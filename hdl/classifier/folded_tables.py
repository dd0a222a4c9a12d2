"""A pruned classifier as layers of tables of one size, ordered by class."""

from collections.abc import Sequence

import numpy as np

from ...model.lut_layer import LutLayer
from ...model.network.lut_pruning import PartialLut, PrunedClassifier

__all__ = ["class_words", "folded_tables"]

NOTHING = PartialLut((), 0, 1)
"""A table that fills a place: always 0."""


def class_words(pruned: PrunedClassifier, lanes: int) -> list[int]:
    """Return how many groups of ``lanes`` tables each class has, at least one."""
    return [max(1, -(-len(group) // lanes)) for group in pruned.groups]


def folded_tables(pruned: PrunedClassifier, lanes: int) -> list[LutLayer]:
    """Return layers that :class:`.folded_lut_layers.FoldedLutLayers` looks up.

    The tables of the last one stand in the order of the classes, each class filled up to a
    multiple of ``lanes``; one that stands in for several equal ones occurs as often.
    """
    *hidden, last = pruned.layers
    ordered: list[PartialLut] = []
    for group, words in zip(pruned.groups, class_words(pruned, lanes), strict=True):
        ordered += [last[n] for n in group] + [NOTHING] * (words * lanes - len(group))
    layers = [[*(layer or (NOTHING,))] for layer in hidden] + [ordered]
    fan_in = max(1, *(len(lut.inputs) for layer in layers for lut in layer))
    widths = [max(1, len(pruned.bits)), *map(len, layers)]
    return [_layer(luts, fan_in, width) for luts, width in zip(layers, widths, strict=False)]


def _layer(luts: Sequence[PartialLut], fan_in: int, inputs: int) -> LutLayer:
    mapping = np.zeros((len(luts), fan_in), np.int32)
    tables = np.zeros((len(luts), 1 << fan_in), np.uint8)
    for n, lut in enumerate(luts):
        mapping[n, : len(lut.inputs)] = lut.inputs
        short = np.array([lut.on >> a & 1 for a in range(1 << len(lut.inputs))], np.uint8)
        tables[n] = np.tile(short, 1 << fan_in - len(lut.inputs))  # idle inputs are the high ones
    return LutLayer(inputs=inputs, mapping=mapping, tables=tables)
