"""The cocotb side of :mod:`lutformer.sim.network`: feeds images, records what the core does."""

import random
import struct
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

from lutformer.sim.network import BenchConfig
from lutformer.sim.runner import config_from_env

PATIENCE = 5_000_000  # cycles without a result


@cocotb.test()
async def run(dut: Any) -> None:
    """Run every image and write the recorded integers."""
    config = config_from_env(BenchConfig)
    images = np.load(config.images)
    linear: list[int] = []
    mlp: list[int] = []
    results: list[bytes] = []
    Clock(dut.clk, 10, "ns").start()
    dut.rst.value, dut.abort.value = 1, 0
    dut.i__valid.value, dut.o__ready.value = 0, 0
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    for image in images:
        await _run_image(dut, config, image.tobytes(), linear, mlp, results)
    words = [struct.unpack(f"<HI{(config.result_bytes - 6) // 4}i", result) for result in results]
    np.savez(
        config.output,
        linear=linear,
        mlp=mlp,
        classes=[word[0] for word in words],
        cycles=[word[1] for word in words],
        logits=[word[2:] for word in words],
    )
    assert len(linear) == config.linear_values * len(images)
    assert len(mlp) == config.mlp_values * len(images)


async def _run_image(
    dut: Any,
    config: BenchConfig,
    pixels: bytes,
    linear: list[int],
    mlp: list[int],
    results: list[bytes],
) -> None:
    """Send one image and take its result, watching the residual stream in every cycle."""
    sent, got = 0, bytearray()
    for _ in range(PATIENCE):
        offer = sent < len(pixels) and random.random() >= config.idle
        accept = random.random() >= config.stall
        dut.i__valid.value, dut.o__ready.value = int(offer), int(accept)
        if offer:
            dut.i__payload.value = pixels[sent]
        await ReadOnly()
        sent += offer and bool(dut.i__ready.value)
        if accept and dut.o__valid.value:
            got.append(int(dut.o__payload.value))
        written = int(dut.written.value)  # valid, mlp, value
        if written & 1:
            value = written >> 2
            (mlp if written & 2 else linear).append(value - (value >> 15 << 16))
        await FallingEdge(dut.clk)
        if len(got) == config.result_bytes:
            results.append(bytes(got))
            return
    raise AssertionError(f"No result after {PATIENCE} cycles; {sent} of {len(pixels)} pixels taken")
