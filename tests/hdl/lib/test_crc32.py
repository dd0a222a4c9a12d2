"""Crc32 against crc32, byte by byte."""

import random

import cocotb

from lutformer.hdl.lib.crc32 import Crc32
from lutformer.model.link.frames import crc32
from lutformer.sim.bench import Bench, Source
from lutformer.sim.runner import simulate


async def watched(dut, bench):
    """Forget what was fed back."""
    dut.watch.value = 1
    await bench.step()
    dut.watch.value = 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5])
async def equals_golden(dut, idle):
    source = Source(dut, "i", idle=idle)
    bench = Bench(dut, source)
    dut.reset.value, dut.watch.value = 0, 0
    await bench.start()
    for size in (1, 2, 30):
        taken = bytearray()
        for byte in (*random.randbytes(size), 0x00, 0xFF):
            taken.append(byte)
            source.send([byte])
            await bench.until(lambda: source.empty)
            await bench.step(Crc32.latency)
            assert dut.i__ready.value == 1
            assert dut.crc.value == crc32(taken), taken.hex()
        assert dut.fed.value == 1
        await watched(dut, bench)
        for byte in crc32(taken).to_bytes(4, "little"):
            assert int(dut.crc.value) & 0xFF == byte  # it is sent this way
            source.send([byte])
            await bench.until(lambda: source.empty)
            await bench.step(Crc32.latency)
        assert (dut.crc.value, dut.fed.value) == (0, 0)
        dut.reset.value = 1
        await bench.step()
        dut.reset.value = 0
        assert dut.crc.value == crc32(b"")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_a_byte_on_its_way(dut):
    source = Source(dut, "i")
    bench = Bench(dut, source)
    dut.reset.value, dut.watch.value = 0, 0
    await bench.start()
    source.send([0x5A])
    await bench.until(lambda: source.empty)
    await bench.step(Crc32.latency // 2)
    assert dut.i__ready.value == 0
    dut.reset.value = 1
    await bench.step()
    dut.reset.value = 0
    assert (dut.i__ready.value, dut.crc.value) == (1, crc32(b""))


def test_crc32(tmp_path):
    simulate(Crc32(), test_file=__file__, build_dir=tmp_path)
