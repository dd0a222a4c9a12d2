"""Whole networks of other shapes: RTL equal to golden in every block."""

import numpy as np
import pytest

from lutformer.hdl.accelerator import Accelerator
from lutformer.hdl.plan import Plan
from lutformer.hdl.verilog import emit
from lutformer.model.random_network import NetworkShape, random_network
from lutformer.sim.network import simulate_network

SHAPES = {
    "smallest": (NetworkShape(), Plan()),
}


def images(network, frames, seed=0):
    e = network.embedding
    rng = np.random.default_rng(seed)
    shape = (frames, e.height, e.width, e.channels)
    drawn = rng.integers(0, 256, shape)
    drawn[0] = 0
    drawn[-1] = 255
    return drawn.astype(np.uint8)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_network(name, rate, tmp_path):
    shape, plan = SHAPES[name]
    network = random_network(shape)
    verilog = tmp_path / "core.v"
    verilog.write_text(emit(Accelerator(network, plan), top="lutformer_core"))
    result = simulate_network(
        network, verilog, images(network, 3), build_dir=tmp_path, simulator="icarus", idle=rate, stall=rate
    )
    assert (result.frames, result.mismatches, result.first_mismatch) == (3, 0, "")
