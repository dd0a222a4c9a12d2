"""Residual and TokenReader together: set, add from both sides, read in order, pool."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest
from amaranth.hdl import Module, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from lutformer.hdl.transformer.residual import Residual
from lutformer.hdl.transformer.token_reader import TokenReader
from lutformer.model.arithmetic import clamp
from lutformer.model.pooling import pool
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_network import NetworkShape, random_network

MLP_WIDTH = 18
AFTER_MLP, POOL = 1, 2


@dataclass(frozen=True, kw_only=True)
class Config:
    dim: int
    tokens: int  # patches
    class_token: bool = False


CONFIGS = [
    Config(dim=1, tokens=1),
    Config(dim=3, tokens=5),
    Config(dim=4, tokens=2, class_token=True),
]


def embedding(config):
    shape = NetworkShape(
        height=1,
        width=config.tokens,
        patch_height=1,
        patch_width=1,
        dim=config.dim,
        class_token=config.class_token,
    )
    return random_network(shape).embedding


class Pair(wiring.Component):
    """The memory, and the reader that follows its writers."""

    job: stream.Interface
    linear: stream.Interface
    mlp: stream.Interface
    read: stream.Interface
    o: stream.Interface

    def __init__(self, layer):
        self.residual = Residual(layer, mlp_width=MLP_WIDTH)
        tokens, width = layer.position.shape
        self.reader = TokenReader(tokens=tokens, width=width, class_token=layer.class_token)
        super().__init__(
            {
                "job": In(stream.Signature(1)),
                "linear": In(stream.Signature(signed(16))),
                "mlp": In(stream.Signature(signed(MLP_WIDTH))),
                "read": In(stream.Signature(2)),
                "o": Out(stream.Signature(signed(16))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.residual, m.submodules.reader = residual, reader = self.residual, self.reader
        for name in ("job", "linear", "mlp"):
            connect(m, wiring.flipped(getattr(self, name)), getattr(residual, name))
        m.d.comb += [reader.job.valid.eq(self.read.valid), self.read.ready.eq(reader.job.ready)]
        m.d.comb += reader.job.payload.eq(self.read.payload)
        m.d.comb += reader.linear_done.eq(residual.linear_done)
        m.d.comb += reader.mlp_done.eq(residual.mlp_done)
        connect(m, residual.request, reader.request)
        connect(m, residual.reply, reader.reply)
        connect(m, wiring.flipped(self.o), reader.o)
        return m


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.6])
async def matches_golden(dut, idle):
    layer = embedding(config_from_env(Config))
    rng, shape = np.random.default_rng(1), layer.position.shape
    job, read = (
        Source(dut, "job", [1, 0, 0]),
        Source(dut, "read", [0, 0, AFTER_MLP, AFTER_MLP | POOL]),
    )
    linear, mlp = Source(dut, "linear", idle=idle), Source(dut, "mlp", idle=idle)
    out = Sink(dut, "o")
    bench = Bench(dut, job, read, linear, mlp, out)
    await bench.start()

    first, second, third = rng.integers(-32768, 32768, (3, *shape))
    big, small = rng.integers(-100_000, 100_000, shape), rng.integers(-9, 10, shape)
    linear.send(int(v) & 0xFFFF for v in first.ravel())
    await bench.until(lambda: len(out.words) >= first.size)
    linear.send(int(v) & 0xFFFF for v in second.ravel())
    if layer.class_token:
        first[0] = 0
    x1 = clamp(first + layer.position, 16)
    x2 = clamp(x1 + second, 16)
    count = 2 * x1.size
    await bench.until(lambda: len(out.words) >= count)
    x3 = clamp(x2 + big, 16)
    mlp.send(int(v) & (1 << MLP_WIDTH) - 1 for v in big.ravel())
    await bench.until(lambda: len(out.words) >= count + x1.size)
    third //= 8
    linear.send(int(v) & 0xFFFF for v in third.ravel())
    await bench.until(lambda: linear.empty)
    await bench.step(3)
    mlp.send(int(v) & (1 << MLP_WIDTH) - 1 for v in small.ravel())
    await bench.until(lambda: len(out.words) >= count + x1.size + shape[1])
    x4 = clamp(clamp(x3 + third, 16) + small, 16)
    pooled = x4[0] if layer.class_token else pool(x4)
    expected = np.concatenate([x1.ravel(), x2.ravel(), x3.ravel(), pooled])
    assert out.words == expected.tolist()
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_residual(config, tmp_path):
    simulate(Pair(embedding(config)), test_file=__file__, build_dir=tmp_path, config=config)
