"""Sampler against its golden namesake: every token equal, every latency as declared."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.transformer.sampler import Sampler
from lutformer.model import sampling
from lutformer.model.sampling import Sampling
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate


@dataclass(frozen=True, kw_only=True)
class Config:
    tokens: int
    width: int
    dsp: bool = True


CONFIGS = [
    Config(tokens=2, width=9),
    Config(tokens=65, width=18),
    Config(tokens=33, width=30, dsp=False),
]
SAMPLINGS = [
    Sampling(),
    Sampling(top_k=3),
    Sampling(temperature=1, seed=0xFFFFFFFF),
    Sampling(temperature=100, top_k=1, seed=2),
    Sampling(temperature=100, seed=3),
    Sampling(temperature=(1 << 15) - 1, top_k=5, seed=4),
    Sampling(temperature=1000, top_k=(1 << 16) - 1, seed=5),
]


def logits(config, seed):
    """Return corners (equal, ends of the range) and random logits, with many equals."""
    rng = np.random.default_rng(seed)
    top = (1 << config.width - 1) - 1
    corners = [np.full(config.tokens, value) for value in (top, 0, ~top)]
    corners.append(np.where(np.arange(config.tokens) % 3, ~top, top))
    random = [rng.integers(-spread, spread, config.tokens) for spread in (2, 100, top)]
    return np.array(corners + random)


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    component = Sampler(tokens=config.tokens, width=config.width)
    seed, source = Source(dut, "seed"), Source(dut, "i", idle=idle)
    sink = Sink(dut, "o", stall=stall)
    bench = Bench(dut, seed, source, sink)
    await bench.start()
    for number, case in enumerate(SAMPLINGS):
        choose = sampling.Sampler(case)
        seed.send([case.seed])
        await bench.until(lambda: seed.empty)
        dut.temperature.value, dut.top_k.value = case.temperature, case.top_k
        for row in logits(config, number):
            before = len(sink.words)
            source.send(row.tolist())
            await bench.until(lambda count=before: len(sink.words) > count)
            assert sink.words[-1] == choose(row), f"{case} {row}"
            assert sink.offered[-1] - source.times[-1] == component.latency(case.top_k)
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_sampler(config, tmp_path):
    component = Sampler(tokens=config.tokens, width=config.width, dsp=config.dsp)
    simulate(component, test_file=__file__, build_dir=tmp_path, config=config)
