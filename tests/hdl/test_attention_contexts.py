"""Attention engines token by token: what they keep from job to job, against whole sequences."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.linear_attention import LinearAttention
from lutformer.hdl.linear_config import LinearAttentionConfig
from lutformer.model.kernel_hash import kernel_codes
from lutformer.model.linear_attention import mix_linear
from lutformer.model.random_layers import random_linear_attention
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate

LAYERS = 3


@dataclass(frozen=True, kw_only=True)
class Linear:
    heads: int = 2
    code_bits: int = 5
    head_width: int = 4
    columns: int = 4
    context: int = 6
    form: str = "and"
    shared: bool = False
    fraction: int = 3
    decay: tuple[int, ...] = ()
    kernel: tuple[int, int] | None = None
    registers: bool = True


LINEAR = [
    Linear(decay=(1, 2, 3, 4)),
    Linear(heads=3, columns=3, form="signed", fraction=0, registers=False),
    Linear(heads=1, code_bits=1, head_width=1, columns=1, form="own", shared=True, fraction=0),
    Linear(form="signed", fraction=0, shared=True, kernel=(3, 4)),
    Linear(code_bits=32, head_width=8, columns=2, fraction=7, decay=(1, 3, 5, 7), context=300),
]


def linear_attention(config):
    rng = np.random.default_rng(1)
    layers = tuple(
        random_linear_attention(
            rng,
            heads=config.heads,
            code_bits=config.code_bits,
            head_width=config.head_width,
            form=config.form,
            causal=True,
            shared=config.shared,
            fraction=config.fraction,
            decay=config.decay,
            kernel=config.kernel,
        )
        for _ in range(LAYERS)
    )
    return LinearAttention(
        LinearAttentionConfig(
            layers=layers,
            tokens=1,
            context=config.context,
            columns=config.columns,
            registers=config.registers,
        )
    )


def sequences(config, tokens, seed):
    """Return queries, keys and values of one context in each layer."""
    rng = np.random.default_rng(seed)
    low, high, each = (-128, 128, config.kernel[0]) if config.kernel else (0, 2, config.code_bits)
    codes = rng.integers(low, high, (2, LAYERS, tokens, config.heads * each))
    values = rng.integers(-128, 128, (LAYERS, tokens, config.heads * config.head_width))
    return *codes, values


def linear_golden(config, layer, query, key, value):
    if config.kernel:
        query = kernel_codes(layer.hash, query)
    return mix_linear(layer, query, query if config.shared else key, value)


async def run_contexts(dut, config, component, golden, idle, stall):
    """Run contexts one after the other, each token through all layers."""
    job, out = Source(dut, "job"), Sink(dut, "o", stall=stall)
    values = Source(dut, "values", idle=idle)
    codes = None if config.kernel else Source(dut, "codes", idle=idle)
    sources = [values, codes] if codes else [values]
    bench = Bench(dut, job, out, *sources)
    await bench.start()
    for number, tokens in enumerate((1, 4, min(config.context, 40))):
        query, key, value = sequences(config, tokens, number)
        expected = [
            golden(config, *each)
            for each in zip(component.config.layers, query, key, value, strict=True)
        ]
        for token in range(tokens):
            dut.before.value = token
            for layer in range(LAYERS):
                job.send([layer])
                bits = [query[layer, token], *([] if config.shared else [key[layer, token]])]
                vector = value[layer, token]
                if codes is None:
                    vector = np.concatenate([*bits, vector])
                else:
                    codes.send(np.concatenate(bits).tolist())
                values.send((vector & 0xFF).tolist())
                before, row = len(out.words), expected[layer][token].tolist()
                goal = before + len(row)
                await bench.until(lambda goal=goal: len(out.words) >= goal)
                assert out.words[before:] == row, (number, token, layer)
                if idle == stall == 0 and codes:
                    last = max(source.times[-1] for source in sources)
                    assert out.offered[before] - last == component.latency
    bench.stop()


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def linear_matches_golden(dut, idle, stall):
    config = config_from_env(Linear)
    component = linear_attention(config)
    await run_contexts(dut, config, component, linear_golden, idle, stall)


def run(component, config, test, build_dir):
    simulate(component, test_file=__file__, build_dir=build_dir, config=config, tests=[test])


@pytest.mark.parametrize("config", LINEAR, ids=str)
def test_linear_attention(config, tmp_path):
    run(linear_attention(config), config, "linear_matches_golden", tmp_path)


def test_contexts_need_causal_layers():
    layer = random_linear_attention(
        np.random.default_rng(0), heads=1, code_bits=1, head_width=1, causal=False
    )
    with pytest.raises(ValueError, match=r"^Contexts of many jobs need causal layers$"):
        LinearAttentionConfig(layers=(layer,), tokens=1, columns=1, context=2)
