"""Pruning of a weightless classifier: live tables, live bits, addresses that can occur."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..lut_layer import LutLayer
from .weightless_classifier import FeatureEncoder, WeightlessClassifier

__all__ = ["PartialLut", "PrunedClassifier", "prune"]

Masks = NDArray[np.uint64]
WORDS = np.uint64
ALL = (1 << 64) - 1
HIGH = [sum(1 << a for a in range(64) if a >> place & 1) for place in range(6)]
"""Of all addresses of six bits those at which bit ``place`` is set."""


@dataclass(frozen=True)
class PartialLut:
    """A lookup table some of whose addresses never occur.

    Attributes
    ----------
    inputs : tuple of int
        Bits of the layer before, ascending; address bit 0 is the first.
    on, off : int
        Sets of addresses (bit ``a`` for address ``a``) that give 1 and 0; others never occur.
    """

    inputs: tuple[int, ...]
    on: int
    off: int


@dataclass(frozen=True)
class PrunedClassifier:
    """A classifier without tables and bits that have no effect; every count is equal.

    Attributes
    ----------
    bits : tuple of (int, int)
        Feature and threshold of every encoder bit in use.
    layers : tuple of tuple of PartialLut
        The first one reads ``bits``, each other the layer before.
    groups : tuple of tuple of int
        Bits of the last layer that each class counts; one that stands in for several equal tables
        occurs as often.
    constants : tuple of int
        What each class counts besides, whatever the input.
    """

    bits: tuple[tuple[int, int], ...]
    layers: tuple[tuple[PartialLut, ...], ...]
    groups: tuple[tuple[int, ...], ...]
    constants: tuple[int, ...]


@dataclass(frozen=True)
class _Bits:
    """Known facts about the bits that a layer reads, each an array over them."""

    name: NDArray[np.int64]
    """The bit that stands for it, the lowest of equals."""
    fixed: NDArray[np.int8]
    """0 or 1 if it is constant, -1 if not."""
    feature: NDArray[np.int64]
    """Bits of one feature, not negative, imply those of lower rank."""
    rank: NDArray[np.int64]


def prune(network: WeightlessClassifier) -> PrunedClassifier:
    """Remove tables and bits without effect, share equal ones, and find addresses that never occur.

    Bits of one feature are ordered: ``x > t`` implies ``x > s`` for every ``s <= t``. Thresholds
    outside of the word's range are constants. Of inputs that a table can do without on the
    addresses that occur, it keeps as few as possible; constants and equal tables propagate.
    """
    known = _encoder_bits(network.encoder)
    layers: list[tuple[list[PartialLut], _Bits]] = []
    for layer in network.layers:
        luts, known = _prune_layer(layer, known)
        layers.append((luts, known))
    groups, constants = _groups(network, known)
    live = sorted({bit for group in groups for bit in group})
    place = {bit: n for n, bit in enumerate(live)}
    groups = tuple(tuple(place[bit] for bit in group) for group in groups)
    kept: list[tuple[PartialLut, ...]] = []
    for luts, _ in reversed(layers):
        chosen = [luts[bit] for bit in live]
        live = sorted({bit for lut in chosen for bit in lut.inputs})
        place = {bit: n for n, bit in enumerate(live)}
        kept.append(
            tuple(
                PartialLut(tuple(place[bit] for bit in lut.inputs), lut.on, lut.off)
                for lut in chosen
            )
        )
    per_feature = network.encoder.thresholds.shape[1]
    thresholds = network.encoder.thresholds.ravel()
    bits = tuple((bit // per_feature, int(thresholds[bit])) for bit in live)
    return PrunedClassifier(bits, tuple(reversed(kept)), groups, constants)


def _encoder_bits(encoder: FeatureEncoder) -> _Bits:
    thresholds = encoder.thresholds.astype(np.int64)
    features, size = thresholds.shape
    fixed = np.full(thresholds.shape, -1, np.int8)
    fixed[thresholds < encoder.lowest] = 1
    fixed[thresholds >= encoder.highest] = 0
    # The first of equal thresholds, which are neighbours.
    rank = np.stack([np.searchsorted(row, row) for row in thresholds])
    name = np.arange(features)[:, None] * size + rank
    feature = np.broadcast_to(np.arange(features)[:, None], thresholds.shape)
    return _Bits(name.ravel(), fixed.ravel(), feature.ravel(), rank.ravel())


def _prune_layer(layer: LutLayer, known: _Bits) -> tuple[list[PartialLut], _Bits]:
    """Return the tables over as few inputs as possible, and known facts about their outputs."""
    luts, fan_in = layer.mapping.shape
    names = known.name[layer.mapping]  # [N, n]
    reach = _occurring(layer.mapping, known)
    place = np.arange(1 << fan_in, dtype=WORDS)
    table = np.bitwise_or.reduce(layer.tables.astype(WORDS) << place, axis=1)
    on, off = table & reach, ~table & reach
    subset = _fewest_inputs(on, off, names)
    found: dict[PartialLut, int] = {}
    pruned, name, fixed = [], np.arange(luts), np.full(luts, -1, np.int8)
    for n in range(luts):
        lut = _restrict(names[n], int(on[n]), int(off[n]), subset[n])
        pruned.append(lut)
        name[n] = found.setdefault(lut, n)
        if not lut.inputs:
            fixed[n] = int(lut.on != 0)
    nothing = np.full(luts, -1)
    return pruned, _Bits(name, fixed, nothing, nothing)


def _occurring(mapping: NDArray[np.int32], known: _Bits) -> Masks:
    """Return the set of addresses of each table that can occur."""
    luts, fan_in = mapping.shape
    full = WORDS((1 << (1 << fan_in)) - 1)
    reach = np.full(luts, full, WORDS)
    name, fixed = known.name[mapping], known.fixed[mapping]
    feature, rank = known.feature[mapping], known.rank[mapping]
    for i in range(fan_in):
        reach &= np.where(fixed[:, i] == 0, WORDS(ALL ^ HIGH[i]), WORDS(ALL))
        reach &= np.where(fixed[:, i] == 1, WORDS(HIGH[i]), WORDS(ALL))
        for j in range(fan_in):
            ordered = (feature[:, i] >= 0) & (feature[:, i] == feature[:, j])
            implies = (name[:, i] == name[:, j]) | ordered & (rank[:, i] >= rank[:, j])
            never = WORDS(HIGH[i] & ~HIGH[j])  # bit i is set and bit j, which it implies, is not
            reach &= np.where(implies, ~never, WORDS(ALL))
    return reach


def _fewest_inputs(on: Masks, off: Masks, names: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """Return the smallest set of inputs that separates ``on`` from ``off``, for each table.

    Of several, the one whose bits most tables read, so that rarely read ones can vanish.
    """
    luts, fan_in = names.shape
    popular = np.bincount(names.ravel())[names]
    best = np.full(luts, -1)
    score = np.full(luts, -1)
    subsets = [s for size in range(fan_in + 1) for s in combinations(range(fan_in), size)]
    for index, subset in enumerate(subsets):
        reach_on, reach_off = on.copy(), off.copy()
        for place in set(range(fan_in)) - set(subset):
            reach_on, reach_off = _either(reach_on, place), _either(reach_off, place)
        value = (fan_in - len(subset)) * luts * fan_in * (fan_in + 1) + popular[:, subset].sum(1)
        better = ((reach_on & reach_off) == 0) & (value > score)
        best, score = np.where(better, index, best), np.where(better, value, score)
    return [subsets[index] for index in best]


def _either(sets: Masks, place: int) -> Masks:
    """Make sets of addresses indifferent to address bit ``place``."""
    step, high = WORDS(1 << place), WORDS(HIGH[place])
    return sets | ((sets & high) >> step) | ((sets & ~high) << step)


def _restrict(names: NDArray[np.int64], on: int, off: int, subset: Sequence[int]) -> PartialLut:
    """Return the table over the inputs of ``subset``, in ascending order of their names."""
    order = sorted(subset, key=lambda place: names[place])
    inputs = tuple(int(names[place]) for place in order)
    sets = [0, 0]
    for which, addresses in enumerate((off, on)):
        while addresses:
            address = (addresses & -addresses).bit_length() - 1
            addresses &= addresses - 1
            short = sum((address >> place & 1) << n for n, place in enumerate(order))
            sets[which] |= 1 << short
    return PartialLut(inputs, sets[1], sets[0])


def _groups(
    network: WeightlessClassifier, known: _Bits
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Return the bits that each class counts, and how many are always set."""
    groups, constants = [], []
    luts, size = network.layers[-1].luts, network.group
    for k in range(network.classes):
        bits = range(k * size, min((k + 1) * size, luts))
        groups.append(tuple(int(known.name[n]) for n in bits if known.fixed[n] < 0))
        constants.append(sum(int(known.fixed[n]) for n in bits if known.fixed[n] >= 0))
    return tuple(groups), tuple(constants)
