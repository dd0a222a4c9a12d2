"""The cocotb side of :mod:`lutformer.sim.network`: feeds images, records what the core does."""

import random
import struct
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge, Timer, with_timeout

from lutformer.sim.network import BenchConfig
from lutformer.sim.recorder import PAGE
from lutformer.sim.runner import config_from_env

__all__ = ["run"]

PATIENCE_US = 50_000  # simulated time without a result
VALUE_BYTES = 2


@cocotb.test()
async def run(dut: Any) -> None:
    """Run every image and write the recorded integers."""
    config = config_from_env(BenchConfig)
    images = np.load(config.images)
    linear, mlp, results = [], [], []
    Clock(dut.clk, 10, "ns").start()
    dut.rst.value, dut.abort.value, dut.clear.value, dut.page.value = 1, 0, 0, 0
    dut.i__valid.value, dut.o__ready.value = 0, 0
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    for image in images:
        await _send(dut, config.idle, image.tobytes())
        results.append(await _receive(dut, config.stall, config.result_bytes))
        linear.append(await _record(dut, "linear", config.linear_values))
        mlp.append(await _record(dut, "mlp", config.mlp_values))
        dut.clear.value = 1
        await FallingEdge(dut.clk)
        dut.clear.value = 0
    words = [struct.unpack(f"<HI{(config.result_bytes - 6) // 4}i", result) for result in results]
    np.savez(
        config.output,
        linear=linear,
        mlp=mlp,
        classes=[word[0] for word in words],
        cycles=[word[1] for word in words],
        logits=[word[2:] for word in words],
    )


async def _send(dut: Any, idle: float, pixels: bytes) -> None:
    """Send an image, with pauses."""
    for pixel in pixels:
        while random.random() < idle:
            await FallingEdge(dut.clk)
        dut.i__valid.value, dut.i__payload.value = 1, pixel
        taken = False
        while not taken:
            await ReadOnly()
            taken = bool(dut.i__ready.value)
            await FallingEdge(dut.clk)
        dut.i__valid.value = 0


async def _receive(dut: Any, stall: float, count: int) -> bytes:
    """Take the bytes of a result, with pauses; the simulator runs alone until they come."""
    got = bytearray()
    await ReadOnly()
    if not dut.o__valid.value:
        await with_timeout(RisingEdge(dut.o__valid), PATIENCE_US, "us")
    await FallingEdge(dut.clk)
    while len(got) < count:
        accept = random.random() >= stall
        dut.o__ready.value = int(accept)
        await ReadOnly()
        if accept and dut.o__valid.value:
            got.append(int(dut.o__payload.value))
        await FallingEdge(dut.clk)
    dut.o__ready.value = 0
    return bytes(got)


async def _record(dut: Any, name: str, count: int) -> np.ndarray:
    """Read what a writer wrote."""
    written = int(getattr(dut, f"{name}_count").value)
    assert written == count, f"{written} values of {name} were written, {count} are due"
    data = bytearray()
    for page in range(-(-count // PAGE)):
        dut.page.value = page
        await Timer(1, "ps")
        data += int(getattr(dut, name).value).to_bytes(PAGE * VALUE_BYTES, "little")
    return np.frombuffer(bytes(data), "<i2")[:count]
