"""Requantize against requantize."""

from dataclasses import asdict, dataclass

import cocotb
import numpy as np
import pytest
from amaranth.hdl import Const

from lutformer.hdl.lib.requantize import Requantize
from lutformer.model.arithmetic import requantize
from lutformer.sim.bench import run_stream
from lutformer.sim.runner import config_from_env, simulate


@dataclass(frozen=True, kw_only=True)
class Config:
    acc_width: int
    multiplier_width: int
    shift: int
    bits: int
    variable: bool = False
    dsp: bool = True
    two_cycle_multiply: bool = False


CONFIGS = [
    Config(acc_width=14, multiplier_width=15, shift=12, bits=16),
    Config(acc_width=23, multiplier_width=12, shift=30, bits=8, variable=True),
    Config(
        acc_width=22, multiplier_width=12, shift=25, bits=8, variable=True, two_cycle_multiply=True
    ),
    Config(acc_width=9, multiplier_width=5, shift=1, bits=8, dsp=False),
    Config(acc_width=4, multiplier_width=3, shift=9, bits=16, variable=True, dsp=False),
]


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    component = Requantize(**asdict(config))
    rng = np.random.default_rng(1)
    high, top = (1 << config.acc_width - 1) - 1, (1 << config.multiplier_width) - 1
    ends = [(a, b) for a in (-high - 1, -1, 0, 1, high) for b in (0, 1, top)]
    drawn = zip(rng.integers(-high - 1, high + 1, 100), rng.integers(0, top + 1, 100), strict=True)
    # Exact halves, where the rounding shows: acc = odd, multiplier = 2**(shift - 1).
    half = 1 << config.shift - 1
    halves = [(a, half) for a in (-5, -3, -1, 1, 3, 5) if half <= top]
    acc, multiplier = np.array([*ends, *drawn, *halves], int).T
    shift = np.full(len(acc), config.shift)
    if config.variable:
        shift = rng.integers(1, config.shift + 1, len(acc))
    fields = {"acc": acc, "multiplier": multiplier} | ({"shift": shift} if config.variable else {})
    words = [
        Const.cast(component.layout.const({k: int(v[n]) for k, v in fields.items()})).value
        for n in range(len(acc))
    ]
    out, latency = await run_stream(dut, words, idle=idle, stall=stall)
    assert out == requantize(acc, multiplier, shift, config.bits).tolist()
    assert latency == component.latency


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_requantize(config, tmp_path):
    component = Requantize(**asdict(config))
    simulate(component, test_file=__file__, build_dir=tmp_path, config=config)
