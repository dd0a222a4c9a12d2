"""KernelHash against kernel_codes: vectors in, code bits out, layer after layer."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.attention.kernel_hash import KernelHash
from lutformer.hdl.attention.kernel_hash_config import KernelHashConfig
from lutformer.model import kernel_hash as golden
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_layers import random_kernel_hash


@dataclass(frozen=True, kw_only=True)
class Config:
    tokens: int
    heads: int
    elements: int
    anchors: int
    code_bits: int
    lanes: int
    dsp: bool = True
    registers: bool = True


CONFIGS = [
    Config(tokens=1, heads=1, elements=1, anchors=1, code_bits=1, lanes=1),
    Config(tokens=2, heads=3, elements=5, anchors=7, code_bits=6, lanes=10, registers=False),
    Config(tokens=2, heads=2, elements=40, anchors=3, code_bits=5, lanes=1),
    Config(tokens=5, heads=2, elements=8, anchors=25, code_bits=16, lanes=8),
    Config(tokens=3, heads=1, elements=33, anchors=4, code_bits=9, lanes=64, dsp=False),
]
DEPTH = 2


def kernel_hash(config):
    rng = np.random.default_rng(5)
    layers = tuple(
        random_kernel_hash(
            rng,
            heads=config.heads,
            elements=config.elements,
            anchors=config.anchors,
            code_bits=config.code_bits,
        )
        for _ in range(DEPTH)
    )
    return KernelHash(
        KernelHashConfig(
            layers=zero_accumulator(layers),
            tokens=config.tokens,
            lanes=config.lanes,
            dsp=config.dsp,
            registers=config.registers,
        )
    )


def zero_accumulator(layers):
    """Let the last bits of the zero vector's codes have accumulators of -1 and exactly 0."""
    first = layers[0]
    kernel = first.table[:, 128].astype(int)
    bias = first.bias.copy()
    for row in range(first.code_bits):
        bias[:, row] -= 0 if row % 4 else bias[:, row]
    bias[:, -1] = -(first.hash[:, -1].astype(int).sum(-1) * kernel)
    if first.code_bits > 1:
        bias[:, -2] = -(first.hash[:, -2].astype(int).sum(-1) * kernel) - 1
    members = first.members() | {"bias": bias}
    return (golden.KernelHash(**members), *layers[1:])


def jobs(config):
    """Return (layer, vectors): zeros, full swing of either sign, one axis, random, tiny."""
    rng = np.random.default_rng(6)
    shape = (config.tokens, config.heads * config.elements)
    axis = np.zeros(shape, int)
    axis[:, :: config.elements] = -128
    random = rng.integers(-128, 128, (2, *shape))
    tiny = rng.integers(-1, 2, shape)
    vectors = (np.zeros(shape, int), random[0], np.full(shape, -128), np.full(shape, 127), axis)
    return [(n % DEPTH, x) for n, x in enumerate((*vectors, tiny, random[1]))]


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    component, work = kernel_hash(config), jobs(config)
    expected = [golden.kernel_codes(component.config.layers[n], x) for n, x in work]
    elements = [int(v) & 0xFF for _, x in work for v in x.ravel()]
    job, out = Source(dut, "job", [n for n, _ in work]), Sink(dut, "o", stall=stall)
    source = Source(dut, "i", elements, idle=idle)
    bench = Bench(dut, job, source, out)
    await bench.start()
    await bench.until(lambda: len(out.words) >= np.size(expected))
    await bench.step(50)
    assert out.words == np.ravel(expected).tolist()
    if idle == stall == 0:
        assert out.offered[0] - source.times[config.elements - 1] == component.latency
        vectors, bits = config.tokens * config.heads, config.code_bits
        steady = out.times[(vectors - 1) * bits] - out.times[0]
        assert steady <= (vectors - 1) * (component.config.interval)
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_kernel_hash(config, tmp_path):
    simulate(kernel_hash(config), test_file=__file__, build_dir=tmp_path, config=config)


def test_zero_vector_has_cosine_zero_and_an_accumulator_of_zero_is_a_set_bit():
    config = CONFIGS[2]
    layer = kernel_hash_layer(config)
    zeros = np.zeros((1, config.heads * config.elements), int)
    assert not golden.cosines(layer, zeros).any()
    codes = golden.kernel_codes(layer, zeros).reshape(config.heads, config.code_bits)
    assert codes[:, -1].all()
    assert not codes[:, -2].any()


def kernel_hash_layer(config):
    rng = np.random.default_rng(5)
    shape = {n: getattr(config, n) for n in ("heads", "elements", "anchors", "code_bits")}
    return zero_accumulator((random_kernel_hash(rng, **shape),))[0]


def test_layers_of_different_shapes_are_refused():
    rng = np.random.default_rng(0)
    layers = tuple(
        random_kernel_hash(rng, heads=1, elements=n, anchors=2, code_bits=3) for n in (4, 5)
    )
    message = r"^Kernel hash layers must agree in heads, elements, anchors and code bits$"
    with pytest.raises(ValueError, match=message):
        KernelHashConfig(layers=layers, tokens=1, lanes=1)


def test_no_lanes_are_refused():
    with pytest.raises(ValueError, match=r"^Lanes must be at least 1, not 0$"):
        kernel_hash(Config(tokens=1, heads=1, elements=1, anchors=1, code_bits=1, lanes=0))
