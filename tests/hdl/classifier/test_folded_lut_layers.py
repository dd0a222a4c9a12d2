"""FoldedLutLayers against lut_layer, layer after layer."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.classifier.folded_lut_layers import FoldedLutLayers
from lutformer.model.lut_layer import LutLayer, lut_layer
from lutformer.sim.bench import run_stream
from lutformer.sim.runner import config_from_env, simulate


@dataclass(frozen=True, kw_only=True)
class Config:
    inputs: int
    luts: tuple[int, ...]
    fan_in: int
    lanes: int


CONFIGS = [
    Config(inputs=1, luts=(1,), fan_in=1, lanes=1),
    Config(inputs=9, luts=(7, 21, 5), fan_in=4, lanes=2),
    Config(inputs=50, luts=(20, 20), fan_in=6, lanes=3),
    Config(inputs=5, luts=(4, 4), fan_in=2, lanes=7),
]


def layers(config):
    rng = np.random.default_rng(1)
    found, width = [], config.inputs
    for luts in config.luts:
        mapping = rng.integers(0, width, (luts, config.fan_in))
        mapping[0], mapping[-1] = 0, width - 1
        tables = rng.integers(0, 2, (luts, 1 << config.fan_in))
        found.append(LutLayer(inputs=width, mapping=mapping, tables=tables))
        width = luts
    return found


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    truth = layers(config)
    folded = FoldedLutLayers(truth, lanes=config.lanes)
    bits = np.random.default_rng(2).integers(0, 2, (30, config.inputs))
    bits[0], bits[1] = 0, 1
    words = [sum(int(bit) << n for n, bit in enumerate(row)) for row in bits]
    for layer in truth:
        bits = lut_layer(layer, bits)
    steps = -(-config.luts[-1] // config.lanes)
    padded = np.zeros((len(words), steps * config.lanes), int)
    padded[:, : config.luts[-1]] = bits
    groups = padded.reshape(-1, config.lanes)
    expected = [sum(int(bit) << n for n, bit in enumerate(row)) for row in groups]
    outputs, latency = await run_stream(
        dut, words, idle=idle, stall=stall, expected_count=len(expected)
    )
    assert outputs == expected
    if stall == 0:
        assert latency == folded.latency


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_folded_lut_layers(config, tmp_path):
    component = FoldedLutLayers(layers(config), lanes=config.lanes)
    simulate(component, test_file=__file__, build_dir=tmp_path, config=config)
