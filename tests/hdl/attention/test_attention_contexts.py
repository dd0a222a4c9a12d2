"""Attention engines token by token: what they keep from job to job, against whole sequences."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import cocotb
import numpy as np
import pytest

from lutformer.hdl.attention.kinds import attention_config, attention_engine
from lutformer.hdl.plan.plan import Plan
from lutformer.model.hamming_attention import HammingAttention, mix
from lutformer.model.kernel_hash import KernelHash, kernel_codes
from lutformer.model.linear_attention import LinearAttention, mix_linear
from lutformer.model.softmax_attention import SoftmaxAttention, mix_softmax
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_network import BlockShape, random_attention

LAYERS = 3


@dataclass(frozen=True, kw_only=True)
class Case:
    shape: BlockShape
    plan: Plan
    context: int


def case(*, context=6, columns=2, **kind):
    shape = BlockShape(**{"dim": 8, "heads": 2, "causal": True, "depth": LAYERS} | kind)
    return Case(shape=shape, plan=Plan(columns=columns), context=context)


CASES = {
    "hamming": case(code_bits=5, columns=4),
    "hamming, groups": case(heads=3, dim=12, columns=1, context=17),
    "hamming, penalty": case(alibi=True, code_bits=13, context=17),
    "hamming, powers, penalty, nearest": case(weighting="power", alibi=True, top_k=3, columns=4),
    "hamming, one head": case(heads=1, dim=1, code_bits=1, columns=1, context=2),
    "softmax": case(attention="softmax", heads=3, dim=9, columns=3),
    "softmax, groups": case(attention="softmax", columns=1, context=17),
    "shiftmax": case(attention="softmax", exponential="shiftmax", columns=3),
    "linear, and": case(attention="linear", hash="linear", form="and", columns=4, context=40),
    "linear, signed": case(attention="linear", hash="linear", heads=3, dim=12, columns=3),
    "linear, own": case(attention="linear", hash="linear", form="own", heads=1, dim=1, columns=1),
    "EcoFormer": case(attention="linear"),
}


def engine(config):
    layers = random_attention(config.shape)
    return attention_engine(attention_config(layers, 1, config.plan, config.context))


@singledispatch
def run_golden(layer: Any, rng: Any, tokens: int) -> tuple[Any, Any, Any]:
    """Return for each token what goes into ``codes``, into ``values``, and what comes out."""
    raise TypeError(layer)


@run_golden.register
def _(layer: HammingAttention, rng: Any, tokens: int) -> tuple[Any, Any, Any]:
    query, key = rng.integers(0, 2, (2, tokens, layer.query.out_features))
    value = rng.integers(-128, 128, (tokens, layer.value.out_features))
    return np.concatenate([query, key], 1), value, mix(layer, query, key, value)


@run_golden.register
def _(layer: SoftmaxAttention, rng: Any, tokens: int) -> tuple[Any, Any, Any]:
    query, key = rng.integers(-128, 128, (2, tokens, layer.query.out_features))
    value = rng.integers(-128, 128, (tokens, layer.value.out_features))
    codes = np.zeros((tokens, 0), int)
    return codes, np.concatenate([query, key, value], 1), mix_softmax(layer, query, key, value)


@run_golden.register
def _(layer: LinearAttention, rng: Any, tokens: int) -> tuple[Any, Any, Any]:
    value = rng.integers(-128, 128, (tokens, layer.value.out_features))
    if isinstance(layer.hash, KernelHash):
        vector = rng.integers(-128, 128, (tokens, layer.hash.project.out_features))
        query = key = kernel_codes(layer.hash, vector)
        codes, values = np.zeros((tokens, 0), int), np.concatenate([vector, value], 1)
    else:
        query, key = rng.integers(0, 2, (2, tokens, layer.hash.rows))
        key = query if layer.shared else key
        codes = query if layer.shared else np.concatenate([query, key], 1)
        values = value
    return codes, values, mix_linear(layer, query, key, value)


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    """Run contexts one after the other, each token through all layers."""
    config = config_from_env(Case)
    component = engine(config)
    job, out = Source(dut, "job"), Sink(dut, "o", stall=stall)
    values = Source(dut, "values", idle=idle)
    codes = Source(dut, "codes", idle=idle) if component.codes is not None else None
    bench = Bench(dut, job, out, values, *([codes] if codes else []))
    await bench.start()
    rng = np.random.default_rng(1)
    for tokens in (1, config.context, min(config.context, 4)):
        runs = [run_golden(layer, rng, tokens) for layer in component.config.layers]
        for token in range(tokens):
            dut.before.value = token
            for layer, (bits, vectors, mixed) in enumerate(runs):
                job.send([layer])
                if codes:
                    codes.send(bits[token].tolist())
                    await bench.until(lambda: codes.empty)
                values.send((vectors[token] & 0xFF).tolist())
                before, row = len(out.words), mixed[token].tolist()
                goal = before + len(row)
                await bench.until(lambda goal=goal: len(out.words) >= goal)
                assert out.words[before:] == row, (tokens, token, layer)
                if idle == stall == token == 0 and (codes or config.shape.attention == "softmax"):
                    assert out.offered[before] - values.times[-1] == component.latency
    bench.stop()


@pytest.mark.parametrize("name", CASES)
def test_contexts(name, tmp_path):
    simulate(engine(CASES[name]), test_file=__file__, build_dir=tmp_path, config=CASES[name])


@pytest.mark.parametrize("kind", ["hamming", "softmax", "linear"])
def test_contexts_need_causal_layers(kind):
    layers = random_attention(BlockShape(attention=kind))
    with pytest.raises(ValueError, match=r"^Contexts of many jobs need causal layers$"):
        attention_config(layers, 1, Plan(), 2)


@pytest.mark.parametrize("kind", ["hamming", "softmax"])
def test_contexts_need_jobs_of_one_token(kind):
    layers = random_attention(BlockShape(attention=kind, causal=True))
    with pytest.raises(ValueError, match=r"^Contexts of many jobs need jobs of one token$"):
        attention_config(layers, 2, Plan(), 2)
