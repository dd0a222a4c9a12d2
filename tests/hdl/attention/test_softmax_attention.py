"""SoftmaxAttention against mix_softmax: queries, keys, values in, mixed values out, by layer."""

import re
from dataclasses import dataclass
from itertools import pairwise

import cocotb
import numpy as np
import pytest

from lutformer.hdl.attention.softmax_attention import SoftmaxAttention
from lutformer.hdl.attention.softmax_config import SoftmaxAttentionConfig
from lutformer.hdl.lib.row_counter import row_lengths
from lutformer.hdl.lib.verilog import emit
from lutformer.model import softmax_attention as golden
from lutformer.model.linear import Linear
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate


@dataclass(frozen=True, kw_only=True)
class Config:
    tokens: int
    columns: int
    heads: int = 2
    key_width: int = 3
    head_width: int = 3
    causal: bool = False
    exponential: str = "table"
    shifts: tuple[int, int] = (20, 21)
    dsp: bool = True
    two_cycle_multiply: bool = False
    registers: bool = True
    cases: int = 3


CONFIGS = [
    Config(tokens=1, columns=1, heads=1, key_width=1, head_width=1),
    Config(tokens=1, columns=2, key_width=2, head_width=5, causal=True),
    Config(tokens=1, columns=4, key_width=7, head_width=4, exponential="shiftmax"),
    Config(tokens=2, columns=1, heads=3, shifts=(20, 20)),
    Config(tokens=2, columns=3, key_width=5, head_width=4, dsp=False, registers=False),
    Config(tokens=2, columns=8, key_width=2, head_width=8, exponential="shiftmax"),
    Config(tokens=17, columns=1, heads=1, causal=True),
    Config(
        tokens=17, columns=2, key_width=5, head_width=4, two_cycle_multiply=True, registers=False
    ),
    Config(tokens=17, columns=8, key_width=6, head_width=8, exponential="shiftmax", dsp=False),
    Config(tokens=17, columns=4, key_width=6, exponential="shiftmax", causal=True),
    Config(tokens=64, columns=1, heads=1, head_width=1, key_width=2, cases=2),
    Config(tokens=64, columns=2, heads=1, causal=True, cases=2),
    Config(tokens=64, columns=4, heads=1, key_width=4, head_width=4, cases=2),
    Config(tokens=64, columns=3, heads=1, causal=True, exponential="shiftmax", cases=2),
]
LENGTHS = [
    Config(
        tokens=tokens,
        columns=columns,
        head_width=4 if tokens < 1024 else columns,
        key_width=4,
        **kind,
        heads=1,
        cases=2,
    )
    for tokens in (1, 2, 17, 64, 197, 1024)
    for columns, kind in [
        (1, {"causal": True}),
        (2, {"exponential": "shiftmax"}),
        (4, {}),
        (4, {"exponential": "shiftmax", "causal": True}),
    ]
]


def linear(rows, columns):
    """The engine reads nothing of these but their shape."""
    zeros = np.zeros(rows, int)
    weight = np.zeros((rows, columns), int)
    return Linear(kind="int8", weight=weight, bias=zeros, multiplier=zeros)


def attention(config):
    layers, keys, values = [], config.heads * config.key_width, config.heads * config.head_width
    for n, shift in enumerate(config.shifts):
        steps = (2**-4, 0.3)[n]
        table = np.round(((1 << 12) - 1) * np.exp(-steps * np.arange(golden.SCORES))).astype(int)
        if config.exponential == "shiftmax":
            table = golden.shift_exponential(steps)
        layers.append(
            golden.SoftmaxAttention(
                heads=config.heads,
                causal=config.causal,
                query=linear(keys, 2),
                key=linear(keys, 2),
                value=linear(values, 2),
                output=linear(2, values),
                multiplier=round((1 + n) * 2**shift / 150 / config.key_width**0.5 / 2**n)
                % (1 << 15),
                shift=shift,
                table=table,
                exponential=config.exponential,
            )
        )
    return SoftmaxAttention(
        SoftmaxAttentionConfig(
            layers=tuple(layers),
            tokens=config.tokens,
            columns=config.columns,
            dsp_scores=config.dsp,
            dsp_scale=config.dsp,
            dsp_values=config.dsp,
            dsp_divide=config.dsp,
            two_cycle_multiply=config.two_cycle_multiply,
            registers=config.registers,
        )
    )


def inputs(config, case):
    """Return queries, keys, values: at full swing, or random with keys that are alike."""
    rng = np.random.default_rng(case)
    keys, columns = config.heads * config.key_width, config.heads * config.head_width
    if case == 0:
        query, key = np.full((2, config.tokens, keys), -128)
        key[1::2] = 127
        return query, key, np.full((config.tokens, columns), -128)
    query, key = rng.integers(-128, 128, (2, config.tokens, keys))
    key[config.tokens // 2 :: 3] = key[0]
    return query, key, rng.integers(-128, 128, (config.tokens, columns))


@cocotb.test(timeout_time=200, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    component = attention(config)
    job, out = Source(dut, "job"), Sink(dut, "o", stall=stall)
    values = Source(dut, "values", idle=idle)
    bench = Bench(dut, job, values, out)
    await bench.start()
    expected, count = [], config.tokens * config.heads * config.head_width
    for case in range(config.cases):
        layer = case % len(config.shifts)
        query, key, value = inputs(config, case)
        mixed = golden.mix_softmax(component.config.layers[layer], query, key, value)
        expected += mixed.ravel().tolist()
        if case == 1:
            job.send([layer])  # the job waits for the values
        values.send(np.concatenate([query, key, value], axis=1).ravel().tolist())
        await bench.until(lambda: values.empty)
        if case != 1:
            job.send([layer])
        goal = (case + 1) * count
        await bench.until(lambda goal=goal: len(out.words) >= goal, sleep=True)
        if case == 1 and idle == stall == 0:
            timing(component, out.offered[count:], values.times[-1])
    await bench.step(50)
    assert out.words == expected
    bench.stop()


def timing(component, offered, last_value):
    """Check the latency, and that rows follow each other without a pause."""
    config = component.config
    assert offered[0] - last_value == component.latency
    rows = offered[:: config.head_width]
    keys = row_lengths(config.tokens, config.causal)
    wanted = [component.row_cycles(k) for k in keys for _ in range(config.heads)]
    if not config.causal:
        assert [b - a for a, b in pairwise(rows)] == wanted[1:]
    # A longer row is also later, by its length in each buffer that it must fill before it goes on.
    buffers = (3 if config.shiftmax else 2) * config.causal
    total, late = offered[-1] - offered[0], buffers * wanted[-1]
    assert config.cycles <= offered[-1] - last_value
    assert total < sum(wanted) + late


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_softmax_attention(config, tmp_path):
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


@pytest.mark.parametrize("config", [CONFIGS[5], CONFIGS[7], CONFIGS[11]], ids=str)
def test_memories_are_listed(config):
    component = attention(config)
    found = re.findall(r"^ *reg \[(\d+):0\] \S+ +\[(\d+):0\];", emit(component, top="dut"), re.M)
    assert sorted((int(w) + 1, int(d) + 1) for w, d in found) == sorted(component.config.memories)


def test_too_many_columns_are_refused():
    message = r"^Columns must be between 1 and 5, the width of a head, not 6$"
    with pytest.raises(ValueError, match=message):
        attention(Config(tokens=2, key_width=5, head_width=4, columns=6))
