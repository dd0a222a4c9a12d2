"""Reciprocal and InverseRoot against their golden functions."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest
from amaranth.hdl import Const

from lutformer.hdl.lib.inverse_root import InverseRoot
from lutformer.hdl.lib.reciprocal import Reciprocal
from lutformer.model.arithmetic import bit_length, reciprocal
from lutformer.model.layer_norm import ROOT_BITS
from lutformer.sim.bench import run_stream
from lutformer.sim.runner import config_from_env, simulate


@dataclass(frozen=True, kw_only=True)
class Config:
    width: int
    normalised: bool = False


def values(width, low):
    rng = np.random.default_rng(1)
    top = (1 << width) - 1
    powers = [1 << n for n in range(width)]
    near = [v + d for v in powers for d in (-1, 0, 1)] + [top]
    random = [int(v) for v in 2.0 ** rng.uniform(0, width, 40)]
    return [v for v in near + random if low <= v <= top]


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def reciprocals(dut, idle, stall):
    config = config_from_env(Config)
    s = values(config.width, 1 << config.width - 1 if config.normalised else 1)
    component = Reciprocal(config.width, normalised=config.normalised)
    out, latency = await run_stream(dut, s, idle=idle, stall=stall)
    r, z = reciprocal(s, config.width)
    layout = component.layout
    expected = [Const.cast(layout.const({"r": a, "z": b})).value for a, b in zip(r, z, strict=True)]
    assert out == expected
    assert latency == component.latency


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def inverse_roots(dut, idle, stall):
    width = config_from_env(Config).width
    component = InverseRoot(width)
    u = np.array(values(width, 1))
    e = (width - bit_length(u)) // 2
    root = np.array([int(v) for v in np.sqrt((u << 2 * e >> width - 2 * ROOT_BITS).astype(float))])
    r, _ = reciprocal(root, ROOT_BITS)
    out, latency = await run_stream(dut, u.tolist(), idle=idle, stall=stall)
    layout = component.layout
    assert out == [
        Const.cast(layout.const({"r": a, "e": b})).value for a, b in zip(r, e, strict=True)
    ]
    assert latency == component.latency


@pytest.mark.parametrize("width", [1, 2, 13, 20])
def test_reciprocal(width, tmp_path):
    simulate(
        Reciprocal(width),
        test_file=__file__,
        build_dir=tmp_path,
        config=Config(width=width),
        tests=["reciprocals"],
    )


def test_normalised_reciprocal(tmp_path):
    config = Config(width=12, normalised=True)
    component = Reciprocal(12, normalised=True)
    simulate(
        component, test_file=__file__, build_dir=tmp_path, config=config, tests=["reciprocals"]
    )


@pytest.mark.parametrize("width", [24, 40])
def test_inverse_root(width, tmp_path):
    simulate(
        InverseRoot(width),
        test_file=__file__,
        build_dir=tmp_path,
        config=Config(width=width),
        tests=["inverse_roots"],
    )
