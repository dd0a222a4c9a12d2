"""Common parts of cocotb benches of whole cores: bytes in, bytes out, recorder."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge, Timer, with_timeout
from cocotb.utils import get_sim_time
from numpy.typing import NDArray

from .recorder import PAGE
from .watch import Watch

__all__ = ["PERIOD_NS", "begin", "clear", "read_record", "receive", "send", "watched"]

PERIOD_NS = 10
PATIENCE_US = 50_000  # simulated time in which nothing moves


async def begin(dut: Any) -> None:
    """Start the clock, and reset."""
    Clock(dut.clk, PERIOD_NS, "ns").start()
    dut.rst.value, dut.abort.value, dut.clear.value, dut.page.value = 1, 0, 0, 0
    dut.i__valid.value, dut.o__ready.value = 0, 0
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0


async def send(dut: Any, idle: float, payload: bytes) -> None:
    """Send bytes, with pauses."""
    for byte in payload:
        while random.random() < idle:
            await FallingEdge(dut.clk)
        dut.i__valid.value, dut.i__payload.value = 1, byte
        taken = False
        while not taken:
            await ReadOnly()
            taken = bool(dut.i__ready.value)
            if not taken:
                await with_timeout(RisingEdge(dut.i__ready), PATIENCE_US, "us")
            await FallingEdge(dut.clk)
        dut.i__valid.value = 0


async def receive(dut: Any, stall: float, count: int) -> tuple[bytes, int]:
    """Take the bytes of a result, with pauses; the simulator runs alone until they come.

    Returns
    -------
    got : bytes
    cycles : int
        From the last byte that was sent until the first of these was there.
    """
    got = bytearray()
    since = get_sim_time("ns") - PERIOD_NS / 2  # it was taken at the rising edge before
    await ReadOnly()
    if not dut.o__valid.value:
        await with_timeout(RisingEdge(dut.o__valid), PATIENCE_US, "us")
    cycles = round((get_sim_time("ns") - since) / PERIOD_NS)
    await FallingEdge(dut.clk)
    while len(got) < count:
        accept = random.random() >= stall
        dut.o__ready.value = int(accept)
        await ReadOnly()
        if accept and dut.o__valid.value:
            got.append(int(dut.o__payload.value))
        await FallingEdge(dut.clk)
    dut.o__ready.value = 0
    return bytes(got), cycles


async def read_record(dut: Any, name: str, count: int, kind: str) -> NDArray[Any]:
    """Read a record of ``count`` values of a dtype."""
    written = int(getattr(dut, f"{name}_count").value)
    assert written == count, f"{written} values of {name} were recorded, {count} are due"
    size, data = np.dtype(kind).itemsize, bytearray()
    for page in range(-(-count // PAGE)):
        dut.page.value = page
        await Timer(1, "ps")
        data += int(getattr(dut, name).value).to_bytes(PAGE * size, "little")
    return np.frombuffer(bytes(data), kind)[:count]


async def clear(dut: Any) -> None:
    """Begin a new record."""
    dut.clear.value = 1
    await FallingEdge(dut.clk)
    dut.clear.value = 0


def watched(dut: Any, wires: Sequence[Sequence[str]]) -> Watch:
    """Watch wires of the core from now on.

    Without any, the simulator may have left the core out of what a bench can see.
    """
    return Watch(dut.core if wires else dut, wires, PERIOD_NS)
