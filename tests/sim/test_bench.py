"""The bench catches what it is there to catch: each fault planted in a small component is found."""

from dataclasses import dataclass

import cocotb
import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from lutformer.sim.bench import Bench, Monitor, Sink, Source, StreamRuleBroken, run_stream
from lutformer.sim.runner import CocotbFailure, config_from_env, emit, simulate
from lutformer.sim.tools import ToolMissing, require


@dataclass(frozen=True, kw_only=True)
class PlusOneConfig:
    """What is wrong with a :class:`PlusOne`; nothing, if empty."""

    fault: str = ""
    salt: bytes = b"\x00\xff"  # any bytes must survive the way into the simulation


class PlusOne(wiring.Component):
    """Adds one to each word in a pipeline of two stages; latency 2."""

    latency = 2

    i: stream.Interface
    o: stream.Interface

    def __init__(self, config):
        self.config = config
        super().__init__(
            {"i": In(stream.Signature(signed(8))), "o": Out(stream.Signature(signed(8)))}
        )

    def elaborate(self, platform):
        m = Module()
        fault = self.config.fault
        step, between, word, cycle = Signal(), Signal(), Signal(8), Signal(8)
        valid, payload = Signal(), Signal(signed(8))
        m.d.sync += cycle.eq(cycle + 1)
        m.d.comb += [step.eq(self.o.ready | ~valid), self.i.ready.eq(step)]
        m.d.comb += [self.o.valid.eq(valid), self.o.payload.eq(payload)]
        with m.If(step):
            m.d.sync += [between.eq(self.i.valid), word.eq(self.i.payload)]
            m.d.sync += [valid.eq(between), payload.eq(word + 1)]
        if fault == "withdraws":
            m.d.comb += self.o.valid.eq(valid & (cycle[:2] != 3))
        elif fault == "changes":
            m.d.comb += self.o.payload.eq(payload ^ cycle[3])
        elif fault == "waits for ready":
            m.d.comb += [step.eq(self.o.ready), self.o.valid.eq(valid & self.o.ready)]
        elif fault == "loses":
            m.d.comb += self.i.ready.eq(1)
        elif fault == "one too many":
            with m.If(step & ~between & (cycle == 200)):
                m.d.sync += valid.eq(1)
        elif fault == "early":
            with m.If(step):
                m.d.sync += [valid.eq(self.i.valid), payload.eq(self.i.payload + 1)]
        elif fault == "reads without valid":
            with m.If(step):
                m.d.sync += [between.eq(self.i.valid | (self.i.payload == 0))]
        return m


class SumOf(wiring.Component):
    """Adds up ``count`` words; the sum comes one cycle after the last of them."""

    i: stream.Interface
    o: stream.Interface
    halt: Signal

    def __init__(self, count):
        self.count = count
        layout = data.StructLayout({"sum": 12, "first": 1, "last": 1})
        super().__init__(
            {"i": In(stream.Signature(8)), "o": Out(stream.Signature(layout)), "halt": In(1)}
        )

    def elaborate(self, platform):
        m = Module()
        seen = Signal(range(self.count))
        m.d.comb += self.i.ready.eq(~self.o.valid & ~self.halt)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [self.o.valid.eq(0), self.o.p.sum.eq(0)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [self.o.p.sum.eq(self.o.p.sum + self.i.p), seen.eq(seen + 1)]
            with m.If(seen == self.count - 1):
                m.d.sync += [seen.eq(0), self.o.valid.eq(1)]
        with m.If(self.o.valid & self.o.ready):  # frames of two sums
            m.d.sync += self.o.p.last.eq(~self.o.p.last)
        m.d.comb += self.o.p.first.eq(~self.o.p.last)
        return m


class Wire(wiring.Component):
    """No registers, hence no clock."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self):
        super().__init__({"i": In(stream.Signature(3)), "o": Out(stream.Signature(3))})

    def elaborate(self, platform):
        m = Module()
        wiring.connect(m, wiring.flipped(self.i), wiring.flipped(self.o))
        return m


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6])
async def adds_one(dut, idle, stall):
    assert config_from_env(PlusOneConfig).salt == b"\x00\xff"
    words = [-128, -1, 0, 1, 126, *range(-60, 60)]
    outputs, latency = await run_stream(dut, words, idle=idle, stall=stall, patience=300)
    assert outputs == [word + 1 for word in words]
    assert latency == PlusOne.latency


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6])
async def sums(dut, idle, stall):
    words = list(range(100, 116))
    outputs, latency = await run_stream(
        dut, words, idle=idle, stall=stall, expected_count=4, latency_from=3
    )
    assert [word & 0xFFF for word in outputs] == [sum(words[n : n + 4]) for n in range(0, 16, 4)]
    assert latency == 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def frames_are_watched(dut):
    source, sink = Source(dut, "i", range(32)), Sink(dut, "o", first=12, last=13)
    swapped = Monitor(dut, "o", first=13, last=12)
    bench = Bench(dut, source, sink)
    await bench.start()
    await bench.until(lambda: len(sink.words) == 8)
    bench.agents.append(swapped)
    source.send(range(32))
    with pytest.raises(StreamRuleBroken, match=r"has first=0 outside a frame$"):
        await bench.until(lambda: len(sink.words) == 16)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_halted_device_is_stuck(dut):
    bench = Bench(dut, Source(dut, "i", range(8)), Sink(dut, "o"))
    await bench.start()
    dut.halt.value = 1
    with pytest.raises(TimeoutError, match=r"^No transfer for 50 cycles; words moved: i: 0, o: 0$"):
        await bench.until(lambda: False, patience=50)
    assert bench.cycle == 51


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def passes_through(dut):
    assert await run_stream(dut, range(8), idle=0.5) == (list(range(8)), 0)


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_correct_component_passes(simulator, tmp_path):
    simulate(
        PlusOne(PlusOneConfig()),
        test_file=__file__,
        build_dir=tmp_path / "with space",
        tests=["adds_one"],
        simulator=simulator,
    )


FAULTS = {
    "withdraws": r"Stream 'o', cycle \d+, after \d+ words: withdrew 0x",
    "changes": r"Stream 'o', cycle \d+, after \d+ words: changed 0x",
    "waits for ready": r"No transfer for 300 cycles; words moved: i: 0, o: 0",
    "loses": r"No transfer for 300 cycles; words moved: i: 125, o: ",
    "one too many": r"Stream 'o' offers word 126, 125 were expected",
    "early": r"assert 1 == 2",
    "reads without valid": r"adds_one/idle=0.6/stall=0.0",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(fault, tmp_path):
    component = PlusOne(PlusOneConfig(fault=fault))
    with pytest.raises(CocotbFailure, match=FAULTS[fault]):
        simulate(component, test_file=__file__, build_dir=tmp_path, tests=["adds_one"])


def test_other_counts_and_frames(tmp_path):
    tests = ["sums", "frames_are_watched", "a_halted_device_is_stuck"]
    simulate(SumOf(4), test_file=__file__, build_dir=tmp_path, tests=tests)


def test_combinational_component(tmp_path):
    simulate(Wire(), test_file=__file__, build_dir=tmp_path, tests=["passes_through"])


def test_no_test_is_a_failure(tmp_path):
    with pytest.raises(RuntimeError, match=r"^(No cocotb test ran|The simulation ended without)"):
        simulate(Wire(), test_file=__file__, build_dir=tmp_path, tests=["no_such_test"])
    skipped = tmp_path / "only_skipped.py"
    skipped.write_text("import cocotb\n\n@cocotb.test(skip=True)\nasync def never(dut): pass\n")
    with pytest.raises(RuntimeError, match=r"^No cocotb test ran\n"):
        simulate(Wire(), test_file=skipped, build_dir=tmp_path)


def test_waves_are_written(tmp_path):
    tests = ["passes_through"]
    simulate(Wire(), test_file=__file__, build_dir=tmp_path, tests=tests, waves=True)
    assert (tmp_path / "dut.fst").stat().st_size > 0


def test_emission_is_deterministic():
    assert emit(PlusOne(PlusOneConfig())) == emit(PlusOne(PlusOneConfig()))


def test_missing_simulator_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = r"^Not found on the PATH: iverilog, vvp; run `apt-get install -y iverilog`$"
    with pytest.raises(ToolMissing, match=message):
        simulate(PlusOne(PlusOneConfig()), test_file=__file__, build_dir=tmp_path)
    with pytest.raises(ToolMissing, match=r"^Not found on the PATH: perl, make, g\+\+; run `apt"):
        simulate(
            PlusOne(PlusOneConfig()), test_file=__file__, build_dir=tmp_path, simulator="verilator"
        )
    with pytest.raises(ToolMissing, match="nonesuch"):
        require("nonesuch")


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_rate_out_of_range_is_refused(rate):
    with pytest.raises(ValueError, match=r"^Rate idle must be at least 0 and below 1, not "):
        Source(Dut(), "i", idle=rate)


class Dut:
    """Just enough of a handle for a driver to be made."""

    i__valid = i__ready = i__payload = ()
