"""Attention engines alike in all but the kind of attention, and the cycles that each takes.

Also the cocotb module that counts these cycles on the emitted Verilog, see :func:`measure`.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from lutformer.hdl.attention.engine_config import AttentionEngineConfig
from lutformer.hdl.attention.kinds import attention_config, attention_engine
from lutformer.hdl.lib.arithmetic import Popcount
from lutformer.hdl.plan.plan import Plan
from lutformer.model.attention import Attention
from lutformer.model.hamming_attention import mix
from lutformer.model.kernel_hash import kernel_codes
from lutformer.model.linear_attention import mix_linear
from lutformer.model.softmax_attention import mix_softmax
from lutformer.sim.bench import SETTLE, Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_network import NetworkShape, random_attention

__all__ = ["ENGINES", "Case", "Cycles", "component", "config", "layer", "measure"]

HEAD_WIDTH = 16
"""C, value columns of a head, and elements of its queries and keys."""
CODE_BITS = 16
"""T and b."""
ANCHORS = 25
"""m, EcoFormer's."""
ENGINES: dict[str, dict[str, Any]] = {
    "int8 softmax": {"attention": "softmax", "kind": "int8"},
    "Hamming, table": {"attention": "hamming", "weighting": "table"},
    "Hamming, powers of two": {"attention": "hamming", "weighting": "power"},
    "linear, kernel hash": {"attention": "linear", "hash": "kernel"},
    "linear, linear hash": {"attention": "linear", "hash": "linear"},
    "linear, linear hash, causal": {"attention": "linear", "hash": "linear", "causal": True},
}
"""Of each engine, what sets it apart from the others."""
ICARUS_CYCLES = 100_000
"""Up to so many Icarus, which builds at once, is done before Verilator is built."""
RESULT = "cycles.json"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One engine and its lanes."""

    engine: str
    tokens: int
    heads: int = 1
    columns: int = HEAD_WIDTH
    """Value columns in a cycle."""
    hash_lanes: int = HEAD_WIDTH
    """Products of a kernel hash in a cycle."""
    popcount: Popcount = "tree"


@dataclass(frozen=True, kw_only=True)
class Cycles:
    """What a simulation of the emitted Verilog counted."""

    layer: int
    """From the first input to the last output, both included."""
    after_input: int
    """From the last input to the last output."""


def layer(case: Case) -> Attention:
    """Return a layer with random weights."""
    shape = NetworkShape(
        dim=case.heads * HEAD_WIDTH,
        heads=case.heads,
        code_bits=CODE_BITS,
        anchors=ANCHORS,
        **ENGINES[case.engine],
    )
    return random_attention(shape)[0]


def config(case: Case) -> AttentionEngineConfig[Attention]:
    """Return the shape of the engine."""
    plan = Plan(columns=case.columns, hash_lanes=case.hash_lanes, popcount=case.popcount)
    return attention_config([layer(case)], case.tokens, plan)


def component(case: Case) -> wiring.Component:
    """Return the engine."""
    return attention_engine(config(case))


def measure(case: Case) -> Cycles:
    """Simulate one layer; its outputs are compared with the golden model's, each of them.

    Raises
    ------
    CocotbFailure
        If one differs.
    """
    few = config(case).cycles <= ICARUS_CYCLES
    with tempfile.TemporaryDirectory() as name:
        simulate(
            component(case),
            test_file=__file__,
            build_dir=name,
            simulator="icarus" if few else "verilator",
            config=case,
        )
        return Cycles(**json.loads((Path(name) / RESULT).read_text()))


def stimulus(case: Case) -> tuple[dict[str, list[int]], NDArray[Any]]:
    """Return what goes into each stream, random, and the mixed values that must come out."""
    rng, kind = np.random.default_rng(1), ENGINES[case.engine]
    attention: Any = layer(case)
    value = rng.integers(-128, 128, (case.tokens, case.heads * HEAD_WIDTH))
    if kind["attention"] == "softmax":
        query, key = rng.integers(-128, 128, (2, *value.shape))
        words = {"values": np.concatenate([query, key, value], axis=1)}
        mixed = mix_softmax(attention, query, key, value)
    elif kind["attention"] == "hamming":
        query, key = rng.integers(0, 2, (2, case.tokens, case.heads * CODE_BITS))
        words = {"codes": np.concatenate([query, key], axis=1), "values": value}
        mixed = mix(attention, query, key, value)
    elif kind["hash"] == "kernel":
        elements = rng.integers(-128, 128, value.shape)
        code = kernel_codes(attention.hash, elements)
        words = {"values": np.concatenate([elements, value], axis=1)}
        mixed = mix_linear(attention, code, code, value)
    else:
        code = rng.integers(0, 2, (case.tokens, case.heads * CODE_BITS))
        words = {"codes": code, "values": value}
        mixed = mix_linear(attention, code, code, value)
    return {name: words[name].ravel().tolist() for name in sorted(words)}, mixed


@cocotb.test()
async def counts_cycles(dut: Any) -> None:
    """Offer a job and all its data, take every output, count and compare."""
    case = config_from_env(Case)
    words, mixed = stimulus(case)
    last_value = words["values"].pop()
    sources = [Source(dut, name, waiting) for name, waiting in words.items()]
    job, out = Source(dut, "job", [0]), Sink(dut, "o")
    bench = Bench(dut, job, *sources, out)
    await bench.start()
    # As in the accelerator the last value is also the last input.
    await bench.until(lambda: all(source.empty for source in sources))
    sources[-1].send([last_value])
    patience = 10_000 + 10 * case.tokens * HEAD_WIDTH // case.columns  # some rows
    await bench.until(lambda: len(out.words) >= mixed.size, patience=patience, sleep=True)
    await bench.step(SETTLE)
    bench.stop()
    assert all(source.empty for source in (job, *sources))
    assert out.words == mixed.ravel().tolist()
    first = min(source.times[0] for source in sources)
    last = max(source.times[-1] for source in sources)
    end = out.times[-1]
    found = {"layer": end - first + 1, "after_input": end - last}
    Path(RESULT).write_text(json.dumps(found))
