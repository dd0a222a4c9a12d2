"""Proofs of whole classifiers, at once and in slices, against enumeration and planted faults."""

import re

import numpy as np
import pytest

from lutformer.hdl.classifier.weightless_classifier import WeightlessClassifier
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.plan.classifier_plan import ClassifierPlan
from lutformer.model.lut_layer import LutLayer
from lutformer.model.network.weightless_classifier import FeatureEncoder, weightless_classifier
from lutformer.model.network.weightless_classifier import WeightlessClassifier as Network
from lutformer.sim.formal.aig import Aig
from lutformer.sim.formal.classifier_proof import ClassifierProof, WrongResult, sample_words
from lutformer.sim.formal.lowering import verilog_gates
from lutformer.sim.formal.pipeline import Pipeline
from lutformer.testing.random_classifier import random_classifier

NETWORKS = {
    "one layer": {"luts": (40,)},
    "signed words, no registers": {"luts": (30,), "signed": True, "rows": 0},
    "two layers of six inputs": {"luts": (30, 23), "fan_in": 6, "classes": 10, "word_bits": 7},
    "two inputs": {"luts": (60,), "fan_in": 2, "classes": 4, "thermometer_bits": 7},
}
AT_ONCE, IN_SLICES = 60, 0  # seconds
TABLE = re.compile(r"16'h([0-9a-f]{4}) >> ")


def network_of(rows=2, **shape):
    return random_classifier(**shape), ClassifierPlan(rows=rows)


def written(network, plan, directory):
    return emit(WeightlessClassifier(network, plan), top="dut")


def proof(network, text, directory):
    (directory / "dut.v").write_text(text)
    aig = Aig()
    words = sample_words(aig, network.encoder)
    pipeline = Pipeline(verilog_gates(directory / "dut.v", "dut", directory), aig, words)
    return ClassifierProof(aig, network, words, pipeline.outputs)


def flipped(network, lut, address):
    """Return the network with one bit of its last layer changed."""
    *before, layer = network.layers
    tables = layer.tables.copy()
    tables[lut, address] ^= 1
    changed = LutLayer(inputs=layer.inputs, mapping=layer.mapping, tables=tables)
    return Network(
        class_names=network.class_names, encoder=network.encoder, layers=(*before, changed)
    )


@pytest.mark.parametrize("seconds", [AT_ONCE, IN_SLICES])
@pytest.mark.parametrize("name", NETWORKS)
def test_equal(name, seconds, tmp_path):
    network, plan = network_of(**NETWORKS[name])
    found = proof(network, written(network, plan, tmp_path), tmp_path).check(
        tmp_path, seconds=seconds
    )
    assert isinstance(found, str)
    assert found.startswith("in slices, cut at " if seconds == IN_SLICES else "as a whole")


@pytest.mark.parametrize("seconds", [AT_ONCE, IN_SLICES])
def test_one_wrong_bit_of_a_table(seconds, tmp_path):
    network, plan = network_of(luts=(40,), features=9)
    text = written(network, plan, tmp_path)
    rng = np.random.default_rng(0)
    encoder = network.encoder
    words = rng.integers(encoder.lowest, encoder.highest + 1, (2000, encoder.features))
    truth = weightless_classifier(network, words)
    for lut, address in ((2, 5), (17, 0), (39, 14)):
        other = flipped(network, lut, address)
        differ = (weightless_classifier(other, words)["counts"] != truth["counts"]).any()
        found = proof(other, text, tmp_path).check(tmp_path, seconds=seconds)
        assert isinstance(found, WrongResult) == differ
        if isinstance(found, WrongResult):
            sample = np.array([found.words])
            good, bad = (weightless_classifier(n, sample) for n in (network, other))
            if found.name == "class":
                assert (found.found, found.trained) == (good["class"][0], bad["class"][0])
            else:
                k = int(found.name[7:-1])
                assert (found.found, found.trained) == (good["counts"][0, k], bad["counts"][0, k])
                assert found.found != found.trained


RARE = {  # of a table, which reads whether 5 times 6 words are all large, and another bit
    "always 0": np.arange(64) == 63,
    "a wire": np.arange(64) >= 32,
}


@pytest.mark.parametrize("seconds", [AT_ONCE, IN_SLICES])
@pytest.mark.parametrize("table", RARE)
def test_a_difference_at_one_sample_of_many(table, seconds, tmp_path):
    """Without its last entry, the table is ``always 0``, or ``a wire``: no samples would tell."""
    network, plan = network_of(
        luts=(16, 12), fan_in=6, features=36, thermometer_bits=1, word_bits=6, seed=3
    )
    first, last = network.layers
    for layer in (first, last):
        for array in (layer.mapping, layer.tables):
            array.flags.writeable = True
    first.mapping[:6] = np.arange(36).reshape(6, 6)
    first.tables[:6] = np.arange(64) == 63
    last.mapping[0], last.tables[0] = [0, 1, 2, 3, 4, 7], RARE[table]
    encoder = FeatureEncoder(thresholds=np.full((36, 1), 31), bits=6, signed=False)
    network = Network(class_names=network.class_names, encoder=encoder, layers=(first, last))
    text = written(network, plan, tmp_path)
    assert isinstance(proof(network, text, tmp_path).check(tmp_path, seconds=seconds), str)
    found = proof(flipped(network, 0, 63), text, tmp_path).check(tmp_path, seconds=seconds)
    assert isinstance(found, WrongResult)
    assert min(found.words[:30]) > 31


def test_verdicts_are_those_of_enumeration(tmp_path):
    """One flipped bit in the Verilog at a time, which may lie where no sample leads."""
    network, plan = network_of(luts=(12,), features=2, word_bits=3, thermometer_bits=3)
    text = written(network, plan, tmp_path)
    words = np.array([(a, b) for a in range(8) for b in range(8)])
    truth = weightless_classifier(network, words)
    verdicts = set()
    tables = list(TABLE.finditer(text))
    for n, match in enumerate(tables[:: max(1, len(tables) // 6)]):
        table = f"{int(match[1], 16) ^ 1 << 5 * n % 16:04x}"
        damaged = text[: match.start(1)] + table + text[match.end(1) :]
        checked = proof(network, damaged, tmp_path)
        found = checked.check(tmp_path)
        same = True
        for row, expected in zip(words, truth["counts"], strict=True):
            inputs = {
                f"word {n}[{b}]": bool(w >> b & 1) for n, w in enumerate(row) for b in range(3)
            }
            for literals, count in zip(checked.counts, expected, strict=True):
                bits = checked.aig.evaluate(inputs, literals)
                same &= sum(bit << place for place, bit in enumerate(bits)) == count
        assert isinstance(found, WrongResult) == (not same)
        verdicts.add(same)
    assert False in verdicts
