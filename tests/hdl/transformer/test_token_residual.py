"""TokenResidual: set to a token's vector, added to from both sides, saturated, given out."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.transformer.token_residual import TokenResidual
from lutformer.model.arithmetic import clamp
from lutformer.model.token_embedding import TokenEmbedding, embed_tokens
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate

MLP_WIDTH = 18


@dataclass(frozen=True, kw_only=True)
class Config:
    dim: int
    tokens: int
    positions: int
    registers: bool


CONFIGS = [
    Config(dim=2, tokens=3, positions=0, registers=False),
    Config(dim=3, tokens=5, positions=4, registers=True),
    Config(dim=12, tokens=7, positions=3, registers=False),
    Config(dim=16, tokens=4, positions=0, registers=True),
]


def embedding(config):
    rng = np.random.default_rng(2)
    high = 1 << 15
    token = rng.integers(-high, high, (config.tokens, config.dim)).astype(np.int16)
    position = rng.integers(-high, high, (config.positions, config.dim)).astype(np.int16)
    return TokenEmbedding(token=token, position=position)


def component(config):
    return TokenResidual(embedding(config), mlp_width=MLP_WIDTH, registers=config.registers)


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.6])
async def matches_golden(dut, idle):
    config = config_from_env(Config)
    layer, rng = embedding(config), np.random.default_rng(1)
    job, linear = Source(dut, "job"), Source(dut, "linear", idle=idle)
    mlp, out = Source(dut, "mlp", idle=idle), Sink(dut, "o", stall=idle)
    bench = Bench(dut, job, linear, mlp, out)
    await bench.start()
    expected, x = list[int](), np.zeros(config.dim, np.int64)

    def all_out():
        return job.empty and len(out.words) == len(expected)

    for n in range(4):
        token, place = n % config.tokens, n % max(config.positions, 1)
        dut.token.value = token
        if config.positions:
            dut.place.value = place
        await bench.step(2)
        job.send([0])
        x = embed_tokens(layer, np.array([token]), place)[0].astype(np.int64)
        expected += x.tolist()
        await bench.until(all_out)
        for source, width in ((linear, 16), (mlp, MLP_WIDTH), (linear, 16)):
            terms = rng.integers(-(1 << width - 1), 1 << width - 1, config.dim)
            source.send(int(v) & (1 << width) - 1 for v in terms)
            x = clamp(x + terms, 16)
            expected += x.tolist()
            await bench.until(all_out)
    assert out.words == expected
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_token_residual(config, tmp_path):
    simulate(component(config), test_file=__file__, build_dir=tmp_path, config=config)
