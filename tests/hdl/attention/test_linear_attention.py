"""LinearAttention against mix_linear: codes or elements and values in, mixed values out."""

import itertools
from dataclasses import dataclass, replace

import cocotb
import numpy as np
import pytest

from lutformer.hdl.attention.linear_attention import LinearAttention
from lutformer.hdl.attention.linear_config import LinearAttentionConfig
from lutformer.model.kernel_hash import kernel_codes
from lutformer.model.linear_attention import mix_linear
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_layers import random_linear_attention


@dataclass(frozen=True, kw_only=True)
class Config:
    tokens: int
    heads: int
    code_bits: int
    head_width: int
    columns: int
    form: str = "signed"
    causal: bool = False
    shared: bool = True
    fraction: int = 0
    decay: tuple[int, ...] = ()
    kernel: tuple[int, int] | None = None  # elements, anchors
    lanes: int = 8
    dsp: bool = True
    two_cycle_multiply: bool = False
    registers: bool = True


# fmt: off
CONFIGS = [
    Config(tokens=1, heads=1, code_bits=1, head_width=1, columns=1),
    Config(tokens=2, heads=3, code_bits=13, head_width=5, columns=2, form="own", causal=True,
           shared=False, registers=False),
    Config(tokens=17, heads=2, code_bits=8, head_width=8, columns=8, form="and", causal=True,
           shared=False, fraction=5, decay=(0, 1, 2, 6), dsp=False),
    Config(tokens=17, heads=2, code_bits=4, head_width=6, columns=4, form="own", kernel=(5, 7),
           two_cycle_multiply=True),
    Config(tokens=64, heads=2, code_bits=16, head_width=8, columns=4, shared=False),
    Config(tokens=64, heads=1, code_bits=8, head_width=4, columns=2, causal=True, kernel=(8, 5)),
    Config(tokens=17, heads=2, code_bits=3, head_width=3, columns=3, form="and", fraction=2,
           registers=False),
    Config(tokens=17, heads=1, code_bits=1, head_width=2, columns=2, form="and", causal=True,
           fraction=16, decay=(15,)),
    Config(tokens=17, heads=1, code_bits=2, head_width=2, columns=1, form="own", shared=False),
]
LENGTHS = [
    Config(tokens=tokens, heads=1, code_bits=16, columns=columns,
           head_width=4 if tokens < 1024 else columns, **kind)
    for tokens in (1, 2, 17, 64, 197, 1024)
    for columns, kind in [
        (1, {"kernel": (8, 25)}),
        (2, {"form": "own", "shared": False}),
        (4, {"form": "and", "causal": True, "shared": False, "fraction": 6, "decay": (7,)}),
    ]
]
# fmt: on
SMALL = Config(tokens=4, heads=2, code_bits=4, head_width=3, columns=2)
HASHES = [
    {"kernel": (3, 2)},
    {"shared": True},
    {"shared": False},
]
FORMS = [
    *({"form": form, "causal": causal} for form in ("signed", "own") for causal in (False, True)),
    {"form": "and", "fraction": 1},
    {"form": "and", "fraction": 1, "causal": True},
    {"form": "and", "fraction": 3, "causal": True, "decay": (1, 3, 4)},
]
CROSS = [replace(SMALL, **hash_, **form) for hash_, form in itertools.product(HASHES, FORMS)]
DEPTH = 2


def layers(config):
    rng = np.random.default_rng(1)
    return tuple(
        random_linear_attention(
            rng,
            heads=config.heads,
            code_bits=config.code_bits,
            head_width=config.head_width,
            form=config.form,
            causal=config.causal,
            shared=config.shared,
            fraction=config.fraction,
            decay=config.decay,
            kernel=config.kernel,
        )
        for _ in range(DEPTH)
    )


def linear_attention(config):
    return LinearAttention(
        LinearAttentionConfig(
            layers=layers(config),
            tokens=config.tokens,
            columns=config.columns,
            hash_lanes=config.lanes,
            dsp_divide=config.dsp,
            two_cycle_multiply=config.two_cycle_multiply,
            registers=config.registers,
        )
    )


def inputs(config, case):
    """Return bits or elements of queries, of keys, and values.

    Case 0: opposite codes, values at full swing; 1 and 3: random; 2: equal codes, equal values.
    """
    rng = np.random.default_rng(case)
    width = config.heads * (config.kernel[0] if config.kernel else config.code_bits)
    shape, columns = (config.tokens, width), config.heads * config.head_width
    if case in (0, 2):
        query, key = np.ones(shape, int), np.full(shape, case // 2)
        return query, key, np.full((config.tokens, columns), (-128, 0, 127)[case])
    low, high = (-128, 128) if config.kernel else (0, 2)
    query, key = rng.integers(low, high, (2, *shape))
    key[0] = query[0]
    return query, key, rng.integers(-128, 128, (config.tokens, columns))


def golden(config, layer, query, key, value):
    if config.kernel:
        query = kernel_codes(layer.hash, query)
    return mix_linear(layer, query, query if config.shared else key, value)


def words(config, query, key, value):
    """Return what goes into ``codes``, and what into ``values``."""
    if config.kernel:
        return [], (np.concatenate([query, value], axis=1) & 0xFF).ravel().tolist()
    codes = query if config.shared else np.concatenate([query, key], axis=1)
    return codes.ravel().tolist(), (value & 0xFF).ravel().tolist()


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    component, gap = linear_attention(config), 400
    job, out = Source(dut, "job"), Sink(dut, "o", stall=stall)
    values = Source(dut, "values", idle=idle)
    sources = [values] if config.kernel else [values, Source(dut, "codes", idle=idle)]
    bench = Bench(dut, job, *sources, out)
    await bench.start()
    expected, count = [], config.tokens * config.heads * config.head_width
    for case in range(4):
        layer = component.config.layers[case % DEPTH]
        data = inputs(config, case)
        expected += golden(config, layer, *data).ravel().tolist()
        codes, elements = words(config, *data)
        if case == 2:  # data wait for their job
            moved = [len(source.words) for source in sources]
            sources[-1].send(codes) if codes else None
            values.send(elements)
            await bench.step(30)
            assert [len(source.words) for source in sources] == moved
        job.send([case % DEPTH])
        if case != 2:
            sources[-1].send(codes) if codes else None
            values.send(elements[:-1] if case == 1 else elements)
        if case == 1:  # the last value comes when all else is done
            await bench.until(lambda: all(source.empty for source in sources))
            await bench.step(gap + config.tokens * component.config.words)
            values.send(elements[-1:])
        goal = (case + 1) * count
        patience = 1000 + component.config.cycles  # of a first pass, whose outputs come later
        await bench.until(lambda goal=goal: len(out.words) >= goal, patience=patience, sleep=True)
        if case == 1 and idle == stall == 0:
            first = 2 * count - config.heads * config.head_width if config.causal else count
            assert out.offered[first] - values.times[-1] == component.latency
        if case == 2 and idle == stall == 0:
            check_pace(component.config, out.times[2 * count : 3 * count])
    await bench.step(50)
    assert out.words == expected
    bench.stop()


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def equal_values_stay(dut):
    config = config_from_env(Config)
    query, key, value = inputs(config, 1)
    job, out = Source(dut, "job"), Sink(dut, "o", stall=0.2)
    codes, values = Source(dut, "codes"), Source(dut, "values")
    bench = Bench(dut, job, codes, values, out)
    await bench.start()
    expected = []
    for n, v in enumerate((-128, -127, -65, -1, 0, 1, 63, 126, 127)):
        bits, elements = words(config, query, key, np.full_like(value, v))
        job.send([n % DEPTH])
        codes.send(bits)
        values.send(elements)
        expected += [v] * value.size
    await bench.until(lambda: len(out.words) >= len(expected))
    assert out.words == expected
    bench.stop()


def check_pace(config, times):
    """From the second token on, a token leaves as often as the slowest part allows."""
    token = config.heads * config.head_width
    starts = times[token::token]
    arrival = config.kernel is not None or config.code_bits * (2 - config.shared) > config.rows
    leaving = token * config.scale_interval
    sweep = max(config.words, config.depth)
    if config.tokens > 2 and not (config.causal and arrival):
        pace = (starts[-1] - starts[0]) / (config.tokens - 2)
        assert pace == max(sweep, leaving)
    assert times[-1] - times[0] >= (config.tokens - 1) * sweep


def run(config, build_dir, test="matches_golden", **options):
    simulate(
        linear_attention(config),
        test_file=__file__,
        build_dir=build_dir,
        config=config,
        tests=[test],
        **options,
    )


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_linear_attention(config, tmp_path):
    run(config, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("config", CROSS, ids=str)
def test_every_kind(config, tmp_path):
    run(config, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("config", LENGTHS, ids=str)
def test_every_length(config, tmp_path):
    run(config, tmp_path, simulator="verilator")


@pytest.mark.parametrize("causal", [False, True])
def test_weights_sum_to_one(causal, tmp_path):
    run(replace(SMALL, causal=causal), tmp_path, "equal_values_stay")


def test_layers_of_different_kinds_are_refused():
    one, other = (layers(replace(SMALL, **form))[0] for form in FORMS[:2])
    message = (
        r"^Linear attention layers must agree in heads, head width, code bits, form, fraction, "
        r"causality and kind of hash$"
    )
    with pytest.raises(ValueError, match=message):
        LinearAttentionConfig(layers=(one, other), tokens=1, columns=1)


def test_too_many_columns_are_refused():
    with pytest.raises(ValueError, match=r"^Columns must be between 1 and head_width=3, not 4$"):
        LinearAttentionConfig(layers=layers(SMALL), tokens=1, columns=4)
