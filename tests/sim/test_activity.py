"""Counts of toggles: of a counter, whose bits change as often as anybody can tell."""

import pytest

from lutformer.sim.activity import ModuleActivity, read_activity
from lutformer.sim.runner import simulate_verilog

CYCLES = 40
COUNTER = """
module lutformer_core(input clk, input rst, output [2:0] count);
  low part (.clk(clk), .rst(rst), .bits(count[1:0]));
  reg high = 0;
  assign count[2] = high;
  always @(posedge clk) if (!rst && count[1:0] == 3) high <= ~high;
endmodule
module low(input clk, input rst, output reg [1:0] bits);
  initial bits = 0;
  always @(posedge clk) if (!rst) bits <= bits + 1;
endmodule
"""
BENCH = f"""
import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

@cocotb.test()
async def count(dut):
    dut.rst.value = 0
    Clock(dut.clk, 10, "ns").start(start_high=False)
    await ClockCycles(dut.clk, {CYCLES})
"""


@pytest.fixture(scope="module")
def activity(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counter")
    (folder / "counter.v").write_text(COUNTER)
    (folder / "count_bench.py").write_text(BENCH)
    simulate_verilog(
        [folder / "counter.v"],
        top="lutformer_core",
        test_file=folder / "count_bench.py",
        build_dir=folder / "build",
        simulator="verilator",
        waves="saif",
    )
    return read_activity(folder / "build" / "dump.saif")


def test_every_change_of_every_bit_counts(activity):
    low, half, quarter = CYCLES, CYCLES // 2, CYCLES // 4
    assert activity.modules["core.part"] == ModuleActivity(nets=2, toggles=low + half)
    # The port's three bits and the register behind the highest one.
    assert activity.modules["core"] == ModuleActivity(nets=4, toggles=low + half + 2 * quarter)


def test_cycles_are_those_of_the_clock(activity):
    assert activity.cycles == pytest.approx(CYCLES, abs=1)
