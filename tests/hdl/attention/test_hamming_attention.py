"""HammingAttention against mix: codes and values in, mixed values out, layer after layer."""

from dataclasses import dataclass
from typing import Literal

import cocotb
import numpy as np
import pytest

from lutformer.hdl.attention.hamming_attention import HammingAttention
from lutformer.hdl.attention.hamming_config import HammingAttentionConfig
from lutformer.model.hamming_attention import mix
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_network import NetworkShape, random_attention


@dataclass(frozen=True, kw_only=True)
class Config:
    tokens: int
    heads: int
    code_bits: int
    head_dim: int
    columns: int
    dsp: bool = True
    two_cycle_multiply: bool = False
    weighting: Literal["table", "power"] = "table"
    alibi: bool = False
    top_k: int = 0
    causal: bool = False
    popcount: Literal["tree", "carry"] = "tree"
    cases: int = 3


CONFIGS = [
    Config(tokens=1, heads=1, code_bits=1, head_dim=1, columns=1),
    Config(tokens=2, heads=3, code_bits=13, head_dim=5, columns=2),
    Config(tokens=17, heads=2, code_bits=8, head_dim=8, columns=8, dsp=False),
    Config(
        tokens=16,
        heads=2,
        code_bits=32,
        head_dim=6,
        columns=4,
        two_cycle_multiply=True,
        popcount="carry",
    ),
    Config(tokens=40, heads=1, code_bits=5, head_dim=2, columns=2),
    Config(tokens=17, heads=2, code_bits=8, head_dim=4, columns=4, weighting="power"),
    Config(tokens=9, heads=3, code_bits=16, head_dim=3, columns=1, weighting="power", alibi=True),
    Config(tokens=17, heads=2, code_bits=8, head_dim=4, columns=3, alibi=True),
    Config(tokens=17, heads=1, code_bits=8, head_dim=4, columns=4, top_k=5),
    Config(tokens=5, heads=2, code_bits=3, head_dim=2, columns=1, top_k=1, weighting="power"),
    Config(tokens=17, heads=2, code_bits=8, head_dim=4, columns=4, causal=True),
    Config(
        tokens=12,
        heads=3,
        code_bits=9,
        head_dim=4,
        columns=2,
        causal=True,
        top_k=3,
        alibi=True,
        weighting="power",
    ),
]
LENGTHS = [
    Config(
        tokens=tokens,
        heads=1,
        code_bits=16,
        head_dim=4 if tokens < 1024 else columns,
        columns=columns,
        cases=2,
        **kind,
    )
    for tokens in (1, 2, 17, 64, 197, 1024)
    for columns, kind in [
        (1, {"popcount": "carry"}),
        (2, {"weighting": "power", "causal": True, "alibi": True}),
        (4, {"top_k": 16}),
    ]
]
DEPTH = 2


def attention(config):
    shape = NetworkShape(
        dim=8,
        depth=DEPTH,
        heads=config.heads,
        code_bits=config.code_bits,
        head_dim=config.head_dim,
        weighting=config.weighting,
        alibi=config.alibi,
        top_k=config.top_k,
        causal=config.causal,
    )
    layers = random_attention(shape)
    return HammingAttention(
        HammingAttentionConfig(
            layers=layers,
            tokens=config.tokens,
            columns=config.columns,
            dsp_values=config.dsp,
            dsp_divide=config.dsp,
            two_cycle_multiply=config.two_cycle_multiply,
            popcount=config.popcount,
        )
    )


def inputs(config, case):
    """Return query bits, key bits, values: opposite and equal codes at full swing, or random."""
    rng = np.random.default_rng(case)
    codes, columns = config.heads * config.code_bits, config.heads * config.head_dim
    if case == 0:
        query, key = np.ones((config.tokens, codes), int), np.zeros((config.tokens, codes), int)
        return query, key, np.full((config.tokens, columns), -128)
    query, key = rng.integers(0, 2, (2, config.tokens, codes))
    key[0] = query[0]
    return query, key, rng.integers(-128, 128, (config.tokens, columns))


@cocotb.test(timeout_time=200, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    component = attention(config)
    job, out = Source(dut, "job"), Sink(dut, "o", stall=stall)
    codes, values = Source(dut, "codes", idle=idle), Source(dut, "values", idle=idle)
    bench = Bench(dut, job, codes, values, out)
    await bench.start()
    expected, count = [], config.tokens * config.heads * config.head_dim
    for case in range(config.cases):
        layer = case % DEPTH
        query, key, value = inputs(config, case)
        expected += mix(component.config.layers[layer], query, key, value).ravel().tolist()
        if case:
            job.send([layer])  # the job waits for all data
        both = [(codes, np.concatenate([query, key], axis=1)), (values, value)]
        for source, words in both[:: 1 if case < 2 else -1]:  # the last time, values come first
            source.send((words.ravel() & ((1 << source.width) - 1)).tolist())
            await bench.until(lambda source=source: source.empty)
        if not case:
            job.send([layer])
        goal = (case + 1) * count
        await bench.until(lambda goal=goal: len(out.words) >= goal, sleep=True)
        if case == 1 and idle == stall == 0:
            assert out.offered[count] - values.times[-1] == component.latency
    await bench.step(50)
    assert out.words == expected
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_hamming_attention(config, tmp_path):
    simulate(attention(config), test_file=__file__, build_dir=tmp_path, config=config)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("config", LENGTHS, ids=str)
def test_every_length(config, tmp_path):
    simulate(
        attention(config),
        test_file=__file__,
        build_dir=tmp_path,
        config=config,
        simulator="verilator",
    )


def test_too_many_columns_are_refused():
    with pytest.raises(ValueError, match=r"^Columns must be between 1 and head_width=2, not 3$"):
        attention(Config(tokens=2, heads=1, code_bits=2, head_dim=2, columns=3))
