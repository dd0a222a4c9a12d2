"""WeightlessMlp against weightless_mlp: thermometer, lookup tables, conditional sum."""

from dataclasses import dataclass
from typing import Any, Literal

import cocotb
import numpy as np
import pytest

from lutformer.hdl.mlp.conditional_sum import ConditionalSumConfig
from lutformer.hdl.mlp.weightless_mlp import WeightlessMlp
from lutformer.model.weightless_mlp import weightless_mlp
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_network import NetworkShape, random_network


@dataclass(frozen=True, kw_only=True)
class Config:
    dim: int
    luts: tuple[int, ...]
    fan_in: int
    lanes: int
    bits: int = 3
    kind: str = "ternary"
    tokens: int = 3
    registers: bool = True
    popcount: Literal["tree", "carry"] = "tree"
    readout: Literal["dense", "grouped"] = "dense"


CONFIGS = [
    Config(dim=1, luts=(1,), fan_in=1, lanes=1, bits=1, tokens=1),
    Config(dim=7, luts=(20,), fan_in=4, lanes=20, registers=False, popcount="carry"),
    Config(dim=4, luts=(30, 11), fan_in=6, lanes=16, kind="int8"),
    Config(dim=24, luts=(96,), fan_in=2, lanes=96, popcount="carry"),
    Config(dim=6, luts=(30,), fan_in=3, lanes=4, readout="grouped"),
    Config(dim=5, luts=(300,), fan_in=4, lanes=140),
    Config(dim=2, luts=(40, 150), fan_in=3, lanes=130, tokens=1),
    Config(dim=5, luts=(20, 40), fan_in=4, lanes=16, kind="int8", readout="grouped"),
]
DEPTH = 2


def layers(config) -> list[Any]:
    shape = NetworkShape(
        dim=config.dim,
        depth=DEPTH,
        luts=config.luts,
        fan_in=config.fan_in,
        thermometer_bits=config.bits,
        kind=config.kind,
        readout=config.readout,
    )
    return [block.mlp for block in random_network(shape).blocks]


def weightless(config):
    mlps = layers(config)
    readouts = tuple(mlp.readout for mlp in mlps)
    readout = ConditionalSumConfig(
        layers=readouts, lanes=config.lanes, registers=config.registers, popcount=config.popcount
    )
    return WeightlessMlp(mlps, readout=readout, tokens=config.tokens)


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    mlps = layers(config)
    rng = np.random.default_rng(1)
    jobs = [0, 1, 1, 0]
    x = rng.integers(-128, 128, (len(jobs), config.tokens, config.dim))
    x[0, 0] = mlps[0].thermometer.thresholds[:, -1]  # equal is not above
    expected = [weightless_mlp(mlps[n], tokens)[1] for n, tokens in zip(jobs, x, strict=True)]
    job, out = Source(dut, "job", jobs), Sink(dut, "o", stall=stall)
    source = Source(dut, "i", [int(v) & 0xFF for v in x.ravel()], idle=idle)
    bench = Bench(dut, job, source, out)
    await bench.start()
    await bench.until(lambda: len(out.words) >= x.size)
    await bench.step(50)
    assert out.words == np.ravel(expected).tolist()
    if idle == stall == 0:
        shared = config.dim if config.readout == "grouped" else 1
        slices = -(-config.luts[-1] // shared // config.lanes)
        latency = out.offered[0] - source.times[config.dim - 1]
        assert latency == weightless(config).latency + slices - 1
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_weightless_mlp(config, tmp_path):
    simulate(weightless(config), test_file=__file__, build_dir=tmp_path, config=config)
