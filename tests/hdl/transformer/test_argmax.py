"""ArgMax: the class, the cycles and the logits as bytes."""

import os
import struct

import cocotb
import numpy as np
import pytest

from lutformer.hdl.transformer.argmax import ArgMax
from lutformer.model.network.golden import argmax
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import simulate

WIDTH = 12


def logits(classes):
    rng = np.random.default_rng(1)
    top = (1 << WIDTH - 1) - 1
    ties = np.full((2, classes), -5)
    ties[1, classes // 2 :] = top  # the lowest of equals wins
    return np.concatenate(
        [ties, rng.integers(-top - 1, top + 1, (6, classes)), np.full((1, classes), -top - 1)]
    )


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def sends_results(dut, idle, stall):
    classes = int(os.environ["CLASSES"])
    values = logits(classes)
    source = Source(dut, "i", [int(v) & (1 << WIDTH) - 1 for v in values.ravel()], idle=idle)
    sink = Sink(dut, "o", stall=stall)
    bench = Bench(dut, source, sink)
    await bench.start()
    dut.cycles.value = 0x89ABCDEF
    size = 6 + 4 * classes
    await bench.until(lambda: len(sink.words) >= size * len(values))
    await bench.step(20)
    expected = b"".join(
        struct.pack(f"<HI{classes}i", int(argmax(row)), 0x89ABCDEF, *row.tolist()) for row in values
    )
    assert bytes(sink.words) == expected
    bench.stop()


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_argmax(classes, tmp_path):
    component = ArgMax(classes=classes, width=WIDTH)
    simulate(component, test_file=__file__, build_dir=tmp_path, env={"CLASSES": str(classes)})
