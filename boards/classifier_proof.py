"""Proof that a circuit classifies every sample as the trained network does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model.weightless_classifier import FeatureEncoder, WeightlessClassifier
from .aig import FALSE, Aig, Literal
from .aig_words import exceeds, first_largest, total
from .lut_proof import trained_outputs
from .pipeline import Pipeline
from .prover import prove

__all__ = ["trained_results"]

@dataclass(frozen=True)
class Results:
    """What a classifier says, each number bit 0 first."""

    index: list[Literal]
    counts: list[list[Literal]]


def trained_results(aig: Aig, network: WeightlessClassifier, payload: Sequence[Literal]) -> Results:
    """Return the network's definition (docs/math.md, Eq. 15, 16, 37 and 21) as circuits.

    Nothing here is shared with the generator of the hardware: neither its pruning nor its mapping.
    """
    bits = _encoded(aig, network.encoder, payload)
    for layer in network.layers:
        bits = trained_outputs(aig, layer, bits)
    groups = [bits[k * network.group : (k + 1) * network.group] for k in range(network.classes)]
    counts = [total(aig, group) for group in groups]
    return Results(first_largest(aig, counts), counts)


def _encoded(aig: Aig, encoder: FeatureEncoder, payload: Sequence[Literal]) -> list[Literal]:
    width = encoder.bits
    words = [payload[n * width : (n + 1) * width] for n in range(encoder.features)]
    return [
        exceeds(aig, word, threshold, signed=encoder.signed)
        for word, thresholds in zip(words, encoder.thresholds.tolist(), strict=True)
        for threshold in thresholds
    ]
