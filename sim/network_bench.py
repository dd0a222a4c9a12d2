"""The cocotb side of :mod:`lutformer.sim.network`: feeds images, records what the core does."""

import struct
from typing import Any

import cocotb
import numpy as np

from lutformer.sim.core_bench import begin, clear, read_record, receive, send, watched
from lutformer.sim.network import BenchConfig
from lutformer.sim.runner import config_from_env

__all__ = ["run"]


@cocotb.test()
async def run(dut: Any) -> None:
    """Run every image and write the recorded integers."""
    config = config_from_env(BenchConfig)
    images = np.load(config.images)
    linear, mlp, results = [], [], []
    await begin(dut)
    watch = watched(dut, ())
    for number, image in enumerate(images, start=1):
        if number == len(images):
            watch = watched(dut, config.wires)
        await send(dut, config.idle, image.tobytes())
        result, _ = await receive(dut, config.stall, config.result_bytes)
        results.append(result)
        linear.append(await read_record(dut, "linear", config.linear_values, "<i2"))
        mlp.append(await read_record(dut, "mlp", config.mlp_values, "<i2"))
        await clear(dut)
    words = [struct.unpack(f"<HI{(config.result_bytes - 6) // 4}i", result) for result in results]
    np.savez(
        config.output,
        linear=linear,
        mlp=mlp,
        classes=[word[0] for word in words],
        cycles=[word[1] for word in words],
        logits=[word[2:] for word in words],
        changes=watch.stop(),
    )
