"""Weightless classifiers with random tables: for tests, and to size hardware early."""

from collections.abc import Sequence

import numpy as np

from ..model.lut_layer import LutLayer
from ..model.network.weightless_classifier import FeatureEncoder, WeightlessClassifier

__all__ = ["random_classifier"]


def random_classifier(
    *,
    features: int = 5,
    thermometer_bits: int = 3,
    word_bits: int = 4,
    signed: bool = False,
    luts: Sequence[int] = (20,),
    fan_in: int = 4,
    classes: int = 3,
    repeat: int = 5,
    seed: int = 0,
) -> WeightlessClassifier:
    """Return a classifier with equal thresholds, some out of range, and with equal tables.

    Of each layer every ``repeat``-th table, from the second on, is the first again; 0 for none.
    """
    rng = np.random.default_rng(seed)
    low = -(1 << word_bits - 1) if signed else 0
    thresholds = rng.integers(low - 1, low + (1 << word_bits), (features, thermometer_bits))
    width, layers = thresholds.size, []
    for count in luts:
        mapping = rng.integers(0, width, (count, fan_in))
        tables = rng.integers(0, 2, (count, 1 << fan_in))
        if repeat:
            mapping[1:count:repeat], tables[1:count:repeat] = mapping[0], tables[0]
        layers.append(LutLayer(inputs=width, mapping=mapping, tables=tables))
        width = count
    return WeightlessClassifier(
        class_names=tuple(map(str, range(classes))),
        encoder=FeatureEncoder(thresholds=np.sort(thresholds), bits=word_bits, signed=signed),
        layers=tuple(layers),
    )
