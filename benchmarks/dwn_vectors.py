"""Cocotb test of a classifier with plain ports: the classes of a list of samples, one a cycle."""

from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from lutformer.sim.runner import config_from_env

__all__ = ["Vectors", "same_classes"]


@dataclass(frozen=True)
class Vectors:
    """What goes in, what has to come out, and how many cycles later."""

    words: tuple[int, ...]
    classes: tuple[int, ...]
    latency: int


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def same_classes(dut: Any) -> None:
    """Each class comes out ``latency`` cycles after its sample went in."""
    vectors = config_from_env(Vectors)
    dut.x.value = 0
    Clock(dut.clk, 10, unit="ns").start(start_high=False)
    for cycle in range(len(vectors.words) + vectors.latency):
        await FallingEdge(dut.clk)  # an output of cycle n belongs to the input of n - latency
        done = cycle - vectors.latency
        if done >= 0:
            found = int(dut.y.value)
            assert found == vectors.classes[done], f"sample {done}: {found}"
        if cycle < len(vectors.words):
            dut.x.value = vectors.words[cycle]
