"""Patches against patches: order, class token, abort."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest

from lutformer.hdl.transformer.patches import Patches
from lutformer.model.embedding import patches
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_network import NetworkShape, random_network


@dataclass(frozen=True, kw_only=True)
class Config:
    height: int
    width: int
    channels: int
    patch_height: int
    patch_width: int
    class_token: bool = False


CONFIGS = [
    Config(height=4, width=4, channels=1, patch_height=2, patch_width=2),
    Config(height=6, width=4, channels=3, patch_height=3, patch_width=2, class_token=True),
    Config(height=2, width=3, channels=2, patch_height=2, patch_width=3),
    Config(height=1, width=5, channels=1, patch_height=1, patch_width=1),
]


def embedding(config):
    return random_network(NetworkShape(**vars(config))).embedding


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    layer = embedding(config_from_env(Config))
    shape = (3, layer.height, layer.width, layer.channels)
    images = np.random.default_rng(1).integers(0, 256, shape)
    pixels, job = Source(dut, "i", idle=idle), Source(dut, "job")
    out = Sink(dut, "o", stall=stall)
    bench = Bench(dut, pixels, job, out)
    await bench.start()
    dut.abort.value = 0
    expected = []
    for image in images:
        pixels.send([0] * (layer.pixels - 1))  # an unfinished image leaves no trace
        await bench.until(lambda: pixels.empty)
        dut.abort.value = 1
        await bench.step()
        dut.abort.value = 0
        pixels.send(image.ravel().tolist())
        await bench.until(lambda: pixels.empty)
        await bench.step()
        assert dut.full.value
        job.send([0])
        cut = patches(layer, image)
        if layer.class_token:
            cut = np.concatenate([cut[:1], cut])
        expected += cut.ravel().tolist()
        count = len(expected)
        await bench.until(lambda count=count: len(out.words) >= count)
        await bench.step(2)
        assert not dut.full.value
    if idle == stall == 0:
        assert out.offered[0] - job.times[0] == Patches.latency
    assert out.words == expected
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_patches(config, tmp_path):
    simulate(Patches(embedding(config)), test_file=__file__, build_dir=tmp_path, config=config)
