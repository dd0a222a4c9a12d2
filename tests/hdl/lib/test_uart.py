"""The serial line: back-to-back bytes, clocks that are off, broken stop bits, a busy consumer."""

import gc
import random
from dataclasses import dataclass

import cocotb
import pytest
from cocotb.triggers import Timer

from lutformer.hdl.lib.uart import UartReceiver, UartTransmitter
from lutformer.sim.bench import PERIOD_NS, Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate


@dataclass(frozen=True)
class Line:
    divisor: int


def bit_ps(dut, error=0.0):
    return config_from_env(Line).divisor * PERIOD_NS * 1000 * (1 + error)


async def send(dut, words, error=0.0, stop=1, start_ps=0):
    """Drive ``rx`` like a sender whose bits are longer by ``error``, without a pause."""
    time, now = float(start_ps), 0
    for word in words:
        for bit in [0, *(word >> n & 1 for n in range(8)), stop]:
            dut.rx.value = bit
            time += bit_ps(dut, error)
            await Timer(max(1, round(time) - now), "ps")
            now = round(time)
    dut.rx.value = 1


async def start(dut, stall=0.0):
    sink = Sink(dut, "o", stall=stall)
    bench = Bench(dut, sink)
    errors = []
    dut.rx.value = 1
    await bench.start()
    dut.rx.value = 1
    bench.agents.append(Counter(dut, errors))
    await bench.step(4)
    return bench, sink, errors


class Counter:
    """An agent that notes the cycles in which ``error`` is high."""

    name, words = "error", ()

    def __init__(self, dut, errors):
        self.error, self.errors = dut.error, errors

    def drive(self, cycle):
        pass

    def look(self, cycle):
        if self.error.value == 1:
            self.errors.append(cycle)
        return False


def bit_cycles(dut, bits):
    return round(bits * config_from_env(Line).divisor)


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(error=[0.0, -0.02, 0.02])
async def receives_back_to_back(dut, error):
    bench, sink, errors = await start(dut)
    words = [0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80] + [random.getrandbits(8) for _ in range(60)]
    for phase in (1, 3333, 7777):  # of the sender against our clock, in ps
        sink.words.clear()
        await Timer(phase, "ps")
        sender = cocotb.start_soon(send(dut, words, error))
        await bench.step(bit_cycles(dut, len(words) * 10 * (1 + error) + 3))
        assert sender.done()
        assert sink.words == words
    assert errors == []


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def drops_a_byte_without_stop_bit(dut):
    bench, sink, errors = await start(dut)
    cocotb.start_soon(send(dut, [0x5A], stop=0))
    await bench.step(bit_cycles(dut, 14))
    assert (sink.words, len(errors)) == ([], 1)
    cocotb.start_soon(send(dut, [0x3C, 0xC3]))
    await bench.step(bit_cycles(dut, 22))
    assert (sink.words, len(errors)) == ([0x3C, 0xC3], 1)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_long_low_line_is_one_error(dut):
    bench, sink, errors = await start(dut)
    dut.rx.value = 0
    await bench.step(bit_cycles(dut, 45))
    dut.rx.value = 1
    await bench.step(bit_cycles(dut, 2))
    cocotb.start_soon(send(dut, [0x42]))
    await bench.step(bit_cycles(dut, 12))
    assert (sink.words, len(errors)) == ([0x42], 1)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_glitch_is_no_byte(dut):
    bench, sink, errors = await start(dut)
    dut.rx.value = 0
    await bench.step()
    dut.rx.value = 1
    await bench.step(bit_cycles(dut, 12))
    assert (sink.words, errors) == ([], [])


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_late_consumer_loses_whole_bytes(dut):
    bench, sink, errors = await start(dut, stall=0.5)
    sink.stall = 1.0  # refuses always
    sender = cocotb.start_soon(send(dut, [1, 2, 3, 4]))
    await bench.step(bit_cycles(dut, 24))  # in the middle of the third byte
    sink.stall = 0.0
    await bench.step(bit_cycles(dut, 20))
    assert sender.done()
    assert (sink.words, len(errors)) == ([1, 4], 2)


async def read_line(dut, words):
    """Collect bytes from ``tx``, each bit sampled in its middle; the stop bit must be high."""
    while True:
        await dut.tx.falling_edge
        await Timer(round(bit_ps(dut) / 2), "ps")
        bits = [int(dut.tx.value)]
        for _ in range(9):
            await Timer(round(bit_ps(dut)), "ps")
            bits.append(int(dut.tx.value))
        assert (bits[0], bits[9]) == (0, 1), f"frame {bits}"
        words.append(sum(bit << n for n, bit in enumerate(bits[1:9])))


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.9])
async def transmits(dut, idle):
    words = [0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80] + [random.getrandbits(8) for _ in range(30)]
    source, seen = Source(dut, "i", words, idle=idle), []
    bench = Bench(dut, source)
    await bench.start()
    assert dut.tx.value == 1
    cocotb.start_soon(read_line(dut, seen))
    await bench.until(lambda: source.empty)
    await bench.step(bit_cycles(dut, 11))
    assert seen == words
    if idle == 0:
        gaps = {
            after - before for before, after in zip(source.times, source.times[1:], strict=False)
        }
        assert gaps == {bit_cycles(dut, 10)}


RECEIVER_TESTS = [
    "receives_back_to_back",
    "drops_a_byte_without_stop_bit",
    "a_long_low_line_is_one_error",
    "a_glitch_is_no_byte",
    "a_late_consumer_loses_whole_bytes",
]


@pytest.mark.parametrize("divisor", [4, 5, 12])
def test_receiver(divisor, tmp_path):
    simulate(
        UartReceiver(divisor),
        test_file=__file__,
        build_dir=tmp_path,
        config=Line(divisor),
        tests=RECEIVER_TESTS,
    )


@pytest.mark.parametrize("divisor", [4, 9])
def test_transmitter(divisor, tmp_path):
    simulate(
        UartTransmitter(divisor),
        test_file=__file__,
        build_dir=tmp_path,
        config=Line(divisor),
        tests=["transmits"],
    )


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
@pytest.mark.parametrize("component", [UartReceiver, UartTransmitter])
def test_small_divisor_is_refused(component):
    with pytest.raises(ValueError, match=r"^Divisor must be at least 4 clocks a bit, not 3$"):
        component(3)
    gc.collect()  # the refused component complains here, not in another test
