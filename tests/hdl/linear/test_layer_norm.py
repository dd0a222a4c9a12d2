"""LayerNorm against layer_norm: every bit equal, latency as declared."""

import os

import cocotb
import numpy as np
import pytest

from lutformer.hdl.linear.layer_norm import LayerNorm
from lutformer.model.layer_norm import LayerNormConfig, layer_norm
from lutformer.sim.bench import run_stream
from lutformer.sim.runner import config_from_env, simulate

CONFIGS = [
    LayerNormConfig(width=1),
    LayerNormConfig(width=5, fraction=3),
    LayerNormConfig(width=32),
    LayerNormConfig(width=40, fraction=7),
]


def tokens(width: int) -> np.ndarray:
    """Corners (constant, extreme, one-hot, tiny) and random tokens of every magnitude."""
    rng = np.random.default_rng(1)
    top, low = (1 << 15) - 1, -(1 << 15)
    one_hot = np.zeros(width, int)
    one_hot[-1] = low
    corners = [
        np.full(width, low),
        np.full(width, top),
        np.zeros(width, int),
        one_hot,
        -(one_hot + 1),
    ]
    corners += [np.where(np.arange(width) % 2, low, top), np.arange(width) % 2]
    scales = 2.0 ** rng.uniform(0, 15, 20)
    random = [np.clip(rng.normal(rng.normal(0, s), s, width), low, top).astype(int) for s in scales]
    return np.array(corners + random)


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(LayerNormConfig)
    x = tokens(config.width)

    words = [int(v) & 0xFFFF for v in x.ravel()]
    out, latency = await run_stream(
        dut, words, idle=idle, stall=stall, latency_from=config.width - 1
    )

    expected = layer_norm(config, x)
    assert np.array_equal(np.reshape(out, expected.shape), expected)
    assert latency == LayerNorm(config, two_cycle_multiply=bool(os.environ["NARROW"])).latency


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_layer_norm(config, tmp_path):
    simulate(LayerNorm(config), test_file=__file__, build_dir=tmp_path, env={"NARROW": ""})


def test_narrow_layer_norm(tmp_path):
    component = LayerNorm(LayerNormConfig(width=8), two_cycle_multiply=True)
    simulate(component, test_file=__file__, build_dir=tmp_path, env={"NARROW": "1"})
