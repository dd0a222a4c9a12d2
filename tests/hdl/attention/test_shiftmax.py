"""ShiftmaxFactor against the division of shiftmax; the rest is proven with SoftmaxAttention."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.attention.shiftmax import ShiftmaxFactor
from lutformer.sim.bench import run_stream
from lutformer.sim.runner import config_from_env, simulate

LIMIT = (1 << 31) - 1


@dataclass(frozen=True, kw_only=True)
class Config:
    width: int


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def divides(dut, idle, stall):
    width = config_from_env(Config).width
    powers = [1 << n for n in range(width)]
    near = [power + step for power in powers for step in (-1, 0, 1)] + [(1 << width) - 1]
    drawn = [int(v) for v in 2.0 ** np.random.default_rng(1).uniform(0, width, 20)]
    sums = [s for s in near + drawn if 1 <= s < 1 << width]
    factors, latency = await run_stream(dut, sums, idle=idle, stall=stall)
    assert factors == [LIMIT // min(s, LIMIT) for s in sums]
    assert latency == ShiftmaxFactor.latency


@pytest.mark.parametrize("width", [1, 22, 31, 33])
def test_shiftmax_factor(width, tmp_path):
    component = ShiftmaxFactor(width)
    simulate(component, test_file=__file__, build_dir=tmp_path, config=Config(width=width))
