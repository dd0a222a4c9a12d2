"""Whole networks of other shapes: RTL equal to golden in every block."""

from dataclasses import replace

import numpy as np
import pytest

from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.plan.plan import Plan
from lutformer.hdl.transformer.accelerator import Accelerator
from lutformer.model.network.golden import golden
from lutformer.sim.network import simulate_network
from lutformer.sim.options import SimulationOptions
from lutformer.testing.random_network import NetworkShape, random_network

SHAPES = {
    "smallest": (NetworkShape(), Plan()),
    "width 24, heads 3, T 13, depth 3": (
        NetworkShape(dim=24, heads=3, code_bits=13, depth=3, luts=(24,)),
        Plan(in_lanes=8, out_lanes=3, lanes=24, columns=3),
    ),
    "width 40, heads 4, T 32, class token, int8": (
        NetworkShape(dim=40, heads=4, code_bits=32, class_token=True, kind="int8", luts=(33,)),
        Plan(in_lanes=2, out_lanes=8, lanes=16, columns=4),
    ),
    "not square, three channels, two LUT layers, narrow": (
        NetworkShape(
            height=6, width=4, channels=3, patch_height=3, patch_width=1, luts=(20, 12), fan_in=6
        ),
        Plan(in_lanes=4, out_lanes=4, lanes=8, columns=8, two_cycle_multiply=True, registers=False),
    ),
    "one token, width 64, heads 1, no DSP": (
        NetworkShape(height=2, dim=64, depth=2, width=2, fan_in=2, luts=(40,)),
        Plan(
            dsp_norm=False,
            dsp_values=False,
            dsp_divide=False,
            dsp_scale=False,
            in_lanes=16,
            out_lanes=8,
        ),
    ),
}
KINDS = {
    "GELU": (NetworkShape(mlp="gelu", depth=2, kind="int8"), Plan(in_lanes=4, out_lanes=3)),
    "softmax, GELU": (
        NetworkShape(attention="softmax", mlp="gelu", depth=2, dim=12, heads=2, kind="int8"),
        Plan(in_lanes=4, out_lanes=4, columns=6),
    ),
    "Shiftmax": (
        NetworkShape(attention="softmax", exponential="shiftmax", depth=2, class_token=True),
        Plan(columns=3),
    ),
    "powers of two, penalty, nearest, causal": (
        NetworkShape(weighting="power", alibi=True, top_k=2, causal=True, depth=2, heads=2),
        Plan(columns=2),
    ),
    "EcoFormer, GELU": (
        NetworkShape(attention="linear", mlp="gelu", depth=2, dim=12, heads=2, kind="int8"),
        Plan(columns=6, hash_lanes=2),
    ),
    "EcoFormer, own token, class token": (
        NetworkShape(attention="linear", form="own", depth=2, heads=2, class_token=True),
        Plan(columns=2, hash_lanes=3),
    ),
    "linear hash": (
        NetworkShape(attention="linear", hash="linear", depth=2, heads=2),
        Plan(columns=3, registers=False, two_cycle_multiply=True),
    ),
    "and, decay, causal": (
        NetworkShape(attention="linear", hash="linear", form="and", causal=True, heads=4),
        Plan(columns=1),
    ),
}
LARGE = {
    "28x28": (
        NetworkShape(height=28, width=28, patch_height=7, patch_width=7, dim=40, heads=4, depth=3),
        Plan(in_lanes=8, out_lanes=8, lanes=16, columns=4),
    ),
    "32x32x3": (
        NetworkShape(
            height=32,
            width=32,
            channels=3,
            patch_height=4,
            patch_width=4,
            dim=64,
            heads=4,
            code_bits=16,
            class_token=True,
            luts=(256,),
            classes=10,
        ),
        Plan(in_lanes=8, out_lanes=16, lanes=64, columns=16),
    ),
}


def images(network, frames, seed=0):
    e = network.embedding
    rng = np.random.default_rng(seed)
    shape = (frames, e.height, e.width, e.channels)
    drawn = rng.integers(0, 256, shape)
    drawn[0] = 0
    drawn[-1] = 255
    return drawn.astype(np.uint8)


def simulate(network, plan, directory, **options):
    verilog = directory / "core.v"
    verilog.write_text(emit(Accelerator(network, plan), top="lutformer_core"))
    return simulate_network(
        network, verilog, images(network, 3), SimulationOptions(build_dir=directory, **options)
    )


@pytest.mark.parametrize("name", SHAPES | KINDS)
def test_network(name, tmp_path):
    shape, plan = (SHAPES | KINDS)[name]
    result = simulate(random_network(shape), plan, tmp_path, simulator="icarus")
    assert (result.frames, result.mismatches, result.first_mismatch) == (3, 0, "")


def test_pauses_change_nothing(tmp_path):
    shape, plan = SHAPES["smallest"]
    network = random_network(shape)
    result = simulate(network, plan, tmp_path, simulator="icarus", idle=0.4, stall=0.4)
    assert (result.frames, result.mismatches) == (3, 0)


def test_residual_stream_saturates(tmp_path):
    shape, plan = SHAPES["smallest"]
    network = random_network(shape)
    # Positions at both ends of the range: embedding and blocks push on beyond it.
    sign = np.where(network.embedding.position < 0, -1, 1)
    embedding = replace(network.embedding, position=sign * 32760)
    network = replace(network, embedding=embedding)
    integers = golden(network, images(network, 3)).integers
    for name in ("embedding", "blocks.0.attention", "blocks.0.mlp"):
        assert (integers[name].min(), integers[name].max()) == (-32768, 32767), name
    result = simulate(network, plan, tmp_path, simulator="icarus")
    assert (result.frames, result.mismatches, result.first_mismatch) == (3, 0, "")


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_network(name, tmp_path):
    shape, plan = LARGE[name]
    result = simulate(random_network(shape), plan, tmp_path)
    assert (result.frames, result.mismatches, result.first_mismatch) == (3, 0, "")
