"""ClassifierCore: words of any width as bytes, samples given up half-way, results as bytes."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.classifier.classifier_core import ClassifierCore
from lutformer.hdl.plan.classifier_plan import ClassifierPlan
from lutformer.model.link.frames import Result
from lutformer.model.network.weightless_classifier import weightless_classifier
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_classifier import random_classifier

SAMPLES = 12


@dataclass(frozen=True, kw_only=True)
class Config:
    word_bits: int
    features: int = 5
    signed: bool = False
    luts: tuple[int, ...] = (40,)
    classes: int = 3
    lanes: int = 0
    rows: int = 3


CONFIGS = [
    Config(word_bits=8, luts=(9,)),  # features without a bit in use
    Config(word_bits=1, features=1, luts=(2,), classes=2),
    Config(word_bits=11, signed=True, classes=11, rows=0),
    Config(word_bits=16, signed=True, luts=(30, 20), lanes=2),
    Config(word_bits=31, luts=(30,), lanes=1),
]


def network(config):
    return random_classifier(
        features=config.features,
        word_bits=config.word_bits,
        signed=config.signed,
        luts=config.luts,
        classes=config.classes,
    )


def component(config):
    return ClassifierCore(network(config), ClassifierPlan(rows=config.rows, lanes=config.lanes))


def dirty(sample, encoder, rng):
    """Return bytes of which the bits that belong to no word are random."""
    found, spare = bytearray(sample), 8 * encoder.word_bytes - encoder.bits
    for last in range(encoder.word_bytes - 1, len(found), encoder.word_bytes):
        found[last] ^= int(rng.integers(1 << spare)) << 8 - spare
    return bytes(found)


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def answers_like_golden(dut, idle, stall):
    config = config_from_env(Config)
    truth = network(config)
    rng = np.random.default_rng(1)
    encoder = truth.encoder
    shape = (SAMPLES, encoder.features)
    words = rng.integers(encoder.lowest, encoder.highest + 1, shape)
    words[0] = encoder.thresholds[:, 1].clip(encoder.lowest, encoder.highest)
    expected = weightless_classifier(truth, words)
    source, sink = Source(dut, "i", idle=idle), Sink(dut, "o", stall=stall)
    bench = Bench(dut, source, sink)
    await bench.start()
    size, core = 6 + 4 * config.classes, component(config)
    for n, sample in enumerate(encoder.pack(words)):
        source.send(sample[: int(rng.integers(len(sample)))])  # leaves no trace
        await bench.until(lambda: source.empty)
        await bench.step(int(rng.integers(3)))
        dut.abort.value = 1
        await bench.step()
        dut.abort.value = 0
        source.send(dirty(sample, encoder, rng))
        await bench.until(lambda n=n: len(sink.words) == (n + 1) * size)
        result = Result.unpack(bytes(sink.words[-size:]))
        assert result.class_index == expected["class"][n], words[n]
        assert list(result.logits) == expected["counts"][n].tolist(), words[n]
        assert result.cycles == core.cycles
        assert sink.offered[n * size] - source.times[-1] == core.latency
        assert dut.busy.value == 0
    bench.stop()


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def takes_one_sample_at_a_time(dut):
    config = config_from_env(Config)
    truth = network(config)
    words = np.random.default_rng(2).integers(0, 2, (SAMPLES, config.features))
    words = np.clip(words, truth.encoder.lowest, truth.encoder.highest)
    expected = weightless_classifier(truth, words)
    source, sink = Source(dut, "i", b"".join(truth.encoder.pack(words))), Sink(dut, "o", stall=0.3)
    bench = Bench(dut, source, sink)
    await bench.start()
    size = 6 + 4 * config.classes
    await bench.until(lambda: len(sink.words) == SAMPLES * size)
    await bench.step(50)
    results = [
        Result.unpack(bytes(sink.words[n : n + size])) for n in range(0, SAMPLES * size, size)
    ]
    assert [result.class_index for result in results] == expected["class"].tolist()
    assert [list(result.logits) for result in results] == expected["counts"].tolist()
    assert {result.cycles for result in results} == {component(config).cycles}
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_classifier_core(config, tmp_path):
    simulate(component(config), test_file=__file__, build_dir=tmp_path, config=config)
