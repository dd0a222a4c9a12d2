"""MatVec against linear and scaled_linear: several layers, jobs in any order."""

from dataclasses import dataclass

import cocotb
import numpy as np
import pytest
from amaranth.hdl import Const

from lutformer.hdl.linear.matvec import MatVec, MatVecConfig
from lutformer.model.linear import Linear, linear, scaled_linear
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate


@dataclass(frozen=True, kw_only=True)
class Config:
    shapes: tuple[tuple[int, int, int], ...]  # rows, columns, raw rows
    inputs: int
    rows: int
    kind: str = "ternary"
    interleave: int = 1


CONFIGS = [
    Config(shapes=((5, 7, 2), (3, 1, 0), (4, 9, 4)), inputs=4, rows=2),
    Config(shapes=((1, 1, 0),), inputs=1, rows=1),
    Config(shapes=((12, 32, 0), (7, 5, 7)), inputs=8, rows=4),
    Config(shapes=((9, 6, 3), (2, 13, 1)), inputs=2, rows=16, kind="int8"),
    Config(shapes=((9, 6, 9), (15, 5, 4), (3, 2, 0)), inputs=4, rows=2, interleave=3),
    Config(shapes=((8, 3, 8), (4, 5, 4)), inputs=2, rows=3, kind="int8", interleave=2),
]
JOBS = 5


def matvec(config):
    rng = np.random.default_rng(1)
    top = 1 if config.kind == "ternary" else 127
    layers = []
    for rows, columns, _ in config.shapes:
        weight = rng.integers(-top, top + 1, (rows, columns))
        weight[0] = top  # the accumulator's reach
        layers.append(
            Linear(
                kind=config.kind,
                weight=weight,
                bias=rng.integers(-300, 301, rows),
                multiplier=rng.integers(0, 1 << 15, rows),
            )
        )
    raw = tuple(raw for _, _, raw in config.shapes)
    shift = 12 if config.kind == "ternary" else 18
    return MatVec(
        MatVecConfig(
            layers=tuple(layers),
            raw=raw,
            shift=shift,
            in_lanes=config.inputs,
            out_lanes=config.rows,
            vectors=3 * config.interleave,
            interleave=config.interleave,
        )
    )


def vectors(config):
    """Return (layer, int8 [vectors, columns]) of each job, the first one at full swing."""
    rng = np.random.default_rng(2)
    out = [(0, np.full((2 * config.interleave, config.shapes[0][1]), -128))]
    for _ in range(JOBS):
        layer = int(rng.integers(len(config.shapes)))
        count = rng.integers(1, 4) * config.interleave
        out.append((layer, rng.integers(-128, 128, (count, config.shapes[layer][1]))))
    return out


def in_turn(y, config):
    """Keep of each vector's outputs the rows of the matrix whose turn it is, and their numbers."""
    rows = y.shape[1] // config.interleave
    own = np.arange(len(y))[:, None] % config.interleave * rows + np.arange(rows)
    return np.take_along_axis(y, own, 1), own


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(Config)
    component = matvec(config)
    jobs = vectors(config)
    layout = component.job_layout
    words = [
        Const.cast(layout.const({"layer": layer, "vectors": len(x)})).value for layer, x in jobs
    ]
    elements = [int(v) & 0xFF for _, x in jobs for v in x.ravel()]
    job, source = Source(dut, "job", words), Source(dut, "i", elements, idle=idle)
    raw, scaled = Sink(dut, "raw", stall=stall), Sink(dut, "scaled", stall=stall)
    bench = Bench(dut, job, source, raw, scaled)
    await bench.start()
    expected_raw, expected_scaled = [], []
    for layer, x in jobs:
        weights, rows = component.config.layers[layer], config.shapes[layer][2]
        y, row = in_turn(linear(weights, x), config)
        expected_raw += y[row < rows].tolist()
        y, row = in_turn(scaled_linear(weights, x, component.config.shift, 16), config)
        expected_scaled += y[row >= rows].tolist()
    await bench.until(
        lambda: len(raw.words) >= len(expected_raw) and len(scaled.words) >= len(expected_scaled),
        patience=2000,
    )
    await bench.step(50)
    assert raw.words == expected_raw
    assert scaled.words == expected_scaled
    if idle == stall == 0:
        columns, first = config.shapes[0][1], scaled if config.shapes[0][2] == 0 else raw
        latency = component.latency if first is scaled else component.raw_latency
        words_a_vector = component.config.words(component.config.layers[0])
        assert first.offered[0] - source.times[columns - 1] == latency + words_a_vector
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_matvec(config, tmp_path):
    simulate(matvec(config), test_file=__file__, build_dir=tmp_path, config=config)


def test_no_lanes_are_refused():
    with pytest.raises(ValueError, match=r"^MatVec needs at least one input and one row lane$"):
        matvec(Config(shapes=((1, 1, 0),), inputs=0, rows=1))


def test_rows_that_are_not_shared_out_are_refused():
    with pytest.raises(
        ValueError, match=r"^MatVec layers must have a multiple of interleave=2 rows$"
    ):
        matvec(Config(shapes=((3, 1, 0),), inputs=1, rows=1, interleave=2))
