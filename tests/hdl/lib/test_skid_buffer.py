"""SkidBuffer: no word lost or added, none delayed, and ready from a register."""

import cocotb
from amaranth.hdl import unsigned
from cocotb.triggers import Timer

from lutformer.hdl.lib.skid_buffer import SkidBuffer
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import simulate

WORDS = [n * 37 % 256 for n in range(200)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def passes_words_on(dut, idle, stall):
    source, sink = Source(dut, "i", WORDS, idle=idle), Sink(dut, "o", stall=stall)
    bench = Bench(dut, source, sink)
    await bench.start()
    await bench.until(lambda: len(sink.words) >= len(WORDS))
    await bench.step(20)
    assert sink.words == WORDS
    if stall == 0:
        assert sink.times == source.times
        assert idle or sink.times == [*range(sink.times[0], sink.times[0] + len(WORDS))]
    bench.stop()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def tells_the_sender_a_cycle_later(dut):
    bench = Bench(dut)
    await bench.start()
    dut.i__valid.value = 1
    for ready in (1, 0, 0, 1, 0, 1, 1):
        before = dut.i__ready.value
        dut.o__ready.value = ready
        await Timer(1, "ns")
        assert dut.i__ready.value == before
        await bench.step()
        assert dut.i__ready.value == ready
    bench.stop()


def test_skid_buffer(tmp_path):
    simulate(SkidBuffer(unsigned(8)), test_file=__file__, build_dir=tmp_path)
