"""What pruning leaves counts what the whole network counts."""

import itertools

import numpy as np
import pytest

from lutformer.model.lut_layer import LutLayer
from lutformer.model.network.lut_pruning import prune
from lutformer.model.network.weightless_classifier import (
    FeatureEncoder,
    WeightlessClassifier,
    weightless_classifier,
)
from lutformer.testing.random_classifier import random_classifier


def counts(pruned, words):
    """Count as the pruned network says; an address that must never occur fails."""
    values = np.array([words[:, f] > t for f, t in pruned.bits], bool).reshape(-1, len(words)).T
    for layer in pruned.layers:
        outputs = []
        for lut in layer:
            address = [sum(int(row[s]) << n for n, s in enumerate(lut.inputs)) for row in values]
            assert all((lut.on | lut.off) >> a & 1 for a in address)
            outputs.append([lut.on >> a & 1 for a in address])
        values = np.array(outputs, bool).T
    columns = [
        constant + (values[:, list(group)].sum(1) if group else 0)
        for group, constant in zip(pruned.groups, pruned.constants, strict=True)
    ]
    return np.stack([np.broadcast_to(column, len(words)) for column in columns], axis=1)


def every_word(encoder):
    values = range(encoder.lowest, encoder.highest + 1)
    return np.array(list(itertools.product(values, repeat=encoder.features)))


@pytest.mark.parametrize("fan_in", [1, 2, 4, 6])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("luts", [(25,), (20, 13)])
@pytest.mark.parametrize("seed", [0, 1])
def test_equal_on_every_word(fan_in, signed, luts, seed):
    network = random_classifier(
        features=3, word_bits=3, signed=signed, luts=luts, fan_in=fan_in, seed=seed
    )
    words = every_word(network.encoder)
    expected = weightless_classifier(network, words)["counts"]
    assert (counts(prune(network), words) == expected).all()


def test_equal_on_random_words_of_a_large_network():
    network = random_classifier(features=30, word_bits=8, luts=(600, 300), fan_in=6, classes=10)
    words = np.random.default_rng(0).integers(0, 256, (50, 30))
    expected = weightless_classifier(network, words)["counts"]
    assert (counts(prune(network), words) == expected).all()


def single(thresholds, tables, mapping, *, bits=3):
    """Return a network of one layer and two classes."""
    encoder = FeatureEncoder(thresholds=np.array(thresholds), bits=bits, signed=False)
    layer = LutLayer(
        inputs=encoder.thresholds.size, mapping=np.array(mapping), tables=np.array(tables)
    )
    return WeightlessClassifier(class_names=("a", "b"), encoder=encoder, layers=(layer,))


def test_thresholds_out_of_range_are_constants():
    # Bit 0 is always set and bit 1 never: XOR of both is 1, AND is 0.
    pruned = prune(single([[-1, 7]], [[0, 1, 1, 0], [0, 0, 0, 1]], [[0, 1], [0, 1]]))
    assert (pruned.bits, pruned.layers, pruned.constants) == ((), ((),), (1, 0))


def test_order_of_thresholds_removes_inputs():
    # x > 5 implies x > 2: their AND is x > 5, their OR x > 2.
    pruned = prune(single([[2, 5]], [[0, 0, 0, 1], [0, 1, 1, 1]], [[0, 1], [0, 1]]))
    assert pruned.bits == ((0, 2), (0, 5))
    assert [lut.inputs for lut in pruned.layers[0]] == [(1,), (0,)]
    assert all(len(lut.inputs) == 1 for lut in pruned.layers[0])


def test_equal_tables_are_one():
    # The same table twice, its inputs swapped the second time.
    pruned = prune(single([[2], [4]], [[0, 1, 0, 0], [0, 0, 1, 0]], [[0, 1], [1, 0]]))
    assert len(pruned.layers[0]) == 1
    assert pruned.groups == ((0,), (0,))


def test_tables_that_nobody_reads_are_gone():
    encoder = FeatureEncoder(thresholds=np.array([[1], [2]]), bits=3, signed=False)
    first = LutLayer(inputs=2, mapping=np.array([[0], [1]]), tables=np.array([[0, 1], [1, 0]]))
    second = LutLayer(inputs=2, mapping=np.array([[1], [1]]), tables=np.array([[0, 1], [1, 0]]))
    network = WeightlessClassifier(class_names=("a", "b"), encoder=encoder, layers=(first, second))
    pruned = prune(network)
    assert pruned.bits == ((1, 2),)
    assert [len(layer) for layer in pruned.layers] == [1, 2]
