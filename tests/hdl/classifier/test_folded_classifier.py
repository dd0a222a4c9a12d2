"""FoldedClassifier against weightless_classifier and against the spatial form, same networks."""

from dataclasses import dataclass, replace

import cocotb
import numpy as np
import pytest

from lutformer.hdl.classifier.classifier_engine import classifier_engine
from lutformer.hdl.classifier.folded_classifier import FoldedClassifier
from lutformer.hdl.plan.classifier_plan import ClassifierPlan
from lutformer.model.network.weightless_classifier import weightless_classifier
from lutformer.sim.bench import run_stream
from lutformer.sim.classifier import pack
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_classifier import random_classifier


@dataclass(frozen=True, kw_only=True)
class Config:
    features: int = 5
    thermometer_bits: int = 3
    word_bits: int = 4
    signed: bool = False
    luts: tuple[int, ...] = (40,)
    fan_in: int = 4
    classes: int = 3
    lanes: int = 1


CONFIGS = [
    Config(),  # 40 tables, 14 a class, the last class lacks two
    Config(features=1, thermometer_bits=1, word_bits=1, luts=(2,), fan_in=1, classes=2, lanes=3),
    Config(word_bits=11, signed=True, luts=(30, 23), fan_in=6, classes=10, lanes=2),
    Config(luts=(60, 41, 37), classes=5, word_bits=7, lanes=4),
    Config(luts=(33, 9), fan_in=2, classes=9, word_bits=6, thermometer_bits=7, signed=True),
]


def network(config):
    return random_classifier(
        features=config.features,
        thermometer_bits=config.thermometer_bits,
        word_bits=config.word_bits,
        signed=config.signed,
        luts=config.luts,
        fan_in=config.fan_in,
        classes=config.classes,
    )


def component(config):
    return classifier_engine(network(config), ClassifierPlan(lanes=config.lanes))


def samples(encoder):
    rng = np.random.default_rng(1)
    low, high = encoder.lowest, encoder.highest
    near = [encoder.thresholds[:, n] + d for n in (0, -1) for d in (0, 1)]
    ends = [np.full(encoder.features, value) for value in (low, high, 0)]
    random = rng.integers(low, high + 1, (30, encoder.features))
    return np.clip(np.concatenate([near, ends, random]), low, high)


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    classifier, truth = component(config), network(config)
    words = samples(truth.encoder)
    expected = weightless_classifier(truth, words)
    payloads = [pack(row, config.word_bits) for row in words]
    outputs, latency = await run_stream(dut, payloads, idle=idle, stall=stall)
    for n, output in enumerate(outputs):
        found = classifier.result.from_bits(output)
        assert found.index == expected["class"][n], f"words {words[n]}"
        assert list(found.counts) == expected["counts"][n].tolist(), f"words {words[n]}"
    if stall == 0:
        assert latency == classifier.latency


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("form", ["folded", "spatial"])
def test_both_forms(config, form, tmp_path):
    config = replace(config, lanes=config.lanes if form == "folded" else 0)
    classifier = component(config)
    assert isinstance(classifier, FoldedClassifier) == (form == "folded")
    simulate(classifier, test_file=__file__, build_dir=tmp_path, config=config)
