"""GeluMlp against activate: hidden values in, activated values out, layer after layer."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.mlp.gelu_mlp import GeluMlp, GeluMlpConfig
from lutformer.model import gelu_mlp as golden
from lutformer.model.linear import Linear
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate


@dataclass(frozen=True, kw_only=True)
class Config:
    tokens: int
    hidden: int
    layers: int = 2


CONFIGS = [
    Config(tokens=1, hidden=1, layers=1),
    Config(tokens=2, hidden=32, layers=3),
    Config(tokens=17, hidden=13),
    Config(tokens=64, hidden=8),
]
LONG = [Config(tokens=197, hidden=48), Config(tokens=1024, hidden=16)]


def linear(rows, columns):
    """The engine reads nothing of these but their shape."""
    zeros = np.zeros(rows, int)
    weight = np.zeros((rows, columns), int)
    return Linear(kind="int8", weight=weight, bias=zeros, multiplier=zeros)


def mlps(config):
    rng = np.random.default_rng(1)
    return tuple(
        golden.GeluMlp(
            hidden=linear(config.hidden, 2),
            table=rng.integers(-128, 128, golden.ENTRIES),
            output=linear(2, config.hidden),
        )
        for _ in range(config.layers)
    )


def gelu_mlp(config):
    return GeluMlp(GeluMlpConfig(layers=mlps(config), tokens=config.tokens))


def inputs(config, case):
    """Return hidden values: from the lowest to the highest, or random."""
    if case == 0:
        return np.arange(config.tokens * config.hidden) % golden.ENTRIES - golden.ENTRIES // 2
    return np.random.default_rng(case).integers(-128, 128, config.tokens * config.hidden)


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    component = gelu_mlp(config)
    count = config.tokens * config.hidden
    jobs = [(case, case % config.layers) for case in range(3)]
    job = Source(dut, "job", [layer for _, layer in jobs])
    source, out = Source(dut, "i", idle=idle), Sink(dut, "o", stall=stall)
    bench = Bench(dut, job, source, out)
    await bench.start()
    expected = []
    for case, layer in jobs:
        x = inputs(config, case)
        expected += golden.activate(component.config.layers[layer], x).tolist()
        source.send(x.tolist())
    await bench.until(lambda: len(out.words) >= len(expected), sleep=True)
    await bench.step(50)
    assert out.words == expected
    if idle == stall == 0:
        assert out.offered[0] - source.times[0] == component.latency
        assert (
            out.times[count - 1] - source.times[0]
            == component.config.values - 1 + component.latency
        )
    bench.stop()


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def holds_a_whole_job(dut):
    """All values of a job go in while none is taken out."""
    config = config_from_env(Config)
    component = gelu_mlp(config)
    x = inputs(config, 1)
    job, source, out = Source(dut, "job", [0]), Source(dut, "i", x.tolist()), Sink(dut, "o")
    bench = Bench(dut, job, source, out)
    out.stall = 1
    await bench.start()
    await bench.until(lambda: source.empty)
    assert not out.words
    out.stall = 0
    await bench.until(lambda: len(out.words) >= len(x))
    assert out.words == golden.activate(component.config.layers[0], x).tolist()
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_gelu_mlp(config, tmp_path):
    simulate(gelu_mlp(config), test_file=__file__, build_dir=tmp_path, config=config)


@pytest.mark.slow
@pytest.mark.parametrize("config", LONG, ids=str)
def test_long_sequences(config, tmp_path):
    component = gelu_mlp(config)
    simulate(
        component, test_file=__file__, build_dir=tmp_path, config=config, simulator="verilator"
    )


def test_different_widths_are_refused():
    layers = tuple(mlps(Config(tokens=1, hidden=n))[0] for n in (3, 4))
    with pytest.raises(ValueError, match=r"^GELU MLPs must agree in hidden width$"):
        GeluMlpConfig(layers=layers, tokens=1)
