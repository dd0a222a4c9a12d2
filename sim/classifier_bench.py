"""The cocotb side of :mod:`lutformer.sim.classifier`: feeds samples, records the outputs."""

from pathlib import Path
from typing import Any

import cocotb
from pydantic import TypeAdapter

from lutformer.sim.bench import run_stream
from lutformer.sim.classifier import BenchConfig, Simulated
from lutformer.sim.runner import config_from_env

__all__ = ["run"]

PATIENCE = 1_000_000  # cycles of a folded network


@cocotb.test()
async def run(dut: Any) -> None:
    """Run every sample and write the results."""
    config = config_from_env(BenchConfig)
    if hasattr(dut, "abort"):
        dut.abort.value = 0
    results, latency = await run_stream(
        dut,
        [int(text, 16) for text in config.payloads],
        idle=config.idle,
        stall=config.stall,
        expected_count=config.results,
        patience=PATIENCE,
    )
    payloads = tuple(f"{result:x}" for result in results)
    found = Simulated(results=payloads, width=len(dut.o__payload), latency=latency)
    Path(config.output).write_bytes(TypeAdapter(Simulated).dump_json(found))
