"""The cocotb side of :mod:`lutformer.sim.decoder`: brings requests, records what the core does."""

from typing import Any

import cocotb
import numpy as np
from cocotb.utils import get_sim_time

from lutformer.model.link.text_link import REPLY_BYTES
from lutformer.sim.core_bench import PERIOD_NS, begin, clear, read_record, receive, send, watched
from lutformer.sim.decoder import DecoderBenchConfig
from lutformer.sim.runner import config_from_env

__all__ = ["run"]


@cocotb.test()
async def run(dut: Any) -> None:
    """Run all requests, and write the results to ``config.output``."""
    config = config_from_env(DecoderBenchConfig)
    replies, waited, logits, written, times = [], [], [], [], []
    await begin(dut)
    start = loaded = get_sim_time("ns")
    watch, last = watched(dut, ()), len(config.taken) - 1
    asked = zip(np.load(config.requests), config.taken, strict=True)
    for number, (request, taken) in enumerate(asked):
        if number == last:
            watch = watched(dut, config.wires)
        await send(dut, config.idle, request.tobytes())
        reply, cycles = await receive(dut, config.stall, REPLY_BYTES)
        replies.append(np.frombuffer(reply, np.uint8))
        waited.append(cycles)
        loaded = loaded if taken else get_sim_time("ns")  # what brings weights comes first
        logits.append(await read_record(dut, "logits", taken * config.vocabulary, "<i4"))
        written.append(await read_record(dut, "written", taken * config.written, "<i2"))
        times.append(await read_record(dut, "times", taken, "<u4"))
        await clear(dut)
    np.savez(
        config.output,
        replies=replies,
        waited=waited,
        logits=np.concatenate(logits),
        written=np.concatenate(written),
        times=np.concatenate(times),
        changes=watch.stop(),
        loaded=round((loaded - start) / PERIOD_NS),
    )
