"""The synthesised netlist of a whole board top, simulated with the vendor's cell models.

``lutformer_top`` is here a probe: it lights the first LED 64 clocks after its reset, and sends back
what it hears one clock later. So the LED tells the length of the reset, and the delay of the echo
the two flip-flops of the wrapper.
"""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from lutformer.boards.board import board
from lutformer.boards.build import tools
from lutformer.boards.build.bitstream import build

BENCH = """\
`timescale 1ns/1ps
module EHXPLLL(input CLKI, CLKFB, RST, STDBY, output reg CLKOP, output reg LOCK);
    parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0;
    parameter CLKOP_ENABLE = "", FEEDBK_PATH = "";
    initial begin CLKOP = 0; LOCK = 0; #1000 LOCK = 1; end
    always #(CRYSTAL_NS / 2.0 * CLKI_DIV / CLKFB_DIV) CLKOP = ~CLKOP;
endmodule

module SB_PLL40_CORE(input REFERENCECLK, RESETB, BYPASS, output reg PLLOUTGLOBAL, LOCK);
    parameter FEEDBACK_PATH = "", DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0;
    initial begin PLLOUTGLOBAL = 0; LOCK = 0; #1000 LOCK = 1; end
    always #(CRYSTAL_NS / 2.0 * (DIVR + 1) * 2**DIVQ / (DIVF + 1)) PLLOUTGLOBAL = ~PLLOUTGLOBAL;
endmodule

module bench;
    reg clock = 0, talk = 1;
    wire clk = clock, rx = talk;  // pads are bidirectional
    wire tx, busy, error, blue;
    time lit, asked, heard;
    always #(CRYSTAL_NS / 2.0) clock = ~clock;
    top dut(PINS);
    initial begin
        wait (busy === LIT); lit = $time;
        @(negedge clk) talk = 0; asked = $time;
        wait (tx === 0); heard = $time;
        if (error === LIT || blue === LIT) $display("an LED is lit that must not be");
        $display("lit %0d heard %0d", lit, heard - asked);
        $finish;
    end
    initial #100000 begin $display("nothing happened"); $finish; end
endmodule
"""
RGB = ("rgb_led_0__g__io", "rgb_led_0__r__io", "rgb_led_0__b__io")
PINS = {  # clock; LEDs: busy, error, and one that stays dark
    "hx8k_breakout": ("clk12_0__io", "led_0__io", "led_1__io"),  # a PLL that is not at its pad
    "icebreaker": ("clk12_0__io", "led_g_0__io", "led_r_0__io"),
    "orangecrab_25f": ("clk_0__io", *RGB),
    "tinyfpga_bx": ("clk16_0__io", "led_0__io"),
    "ulx3s_85f": ("clk25_0__io", "led_0__io", "led_1__io"),
}
MODELS = {
    "ice40": ("ice40/cells_sim.v",),
    "ecp5": ("ecp5/ccu2c_sim.vh", "ecp5/cells_ff.vh", "ecp5/cells_io.vh", "ecp5/common_sim.vh"),
}
ACTIVE_LOW = ("icebreaker", "orangecrab_25f")


def models(name):
    """Return the simulation models of the chip's cells that come with Yosys."""
    spec = importlib.util.find_spec("pyosys")
    assert spec is not None
    assert spec.origin is not None
    share = Path(spec.origin).parent / "share"
    text = "".join((share / file).read_text() for file in MODELS[board(name).family])
    text = re.sub(r"module SB_PLL40_CORE\b.*?endmodule", "", text, flags=re.DOTALL)  # says nothing
    return text.split("module TRELLIS_COMB(")[0]  # Icarus 11 cannot read that one; not used here


def simulate(name, directory):
    """Return what the bench prints about the netlist in ``directory``."""
    crystal = 1e9 / board(name).crystal_hz
    wires = zip(PINS[name], ("clk", "busy", "error", "blue"), strict=False)
    pins = ", ".join(f".{port}({wire})" for port, wire in wires)
    uart = "{}_{}".format(*board(name).uart_resource)
    pins += f", .{uart}__rx__io(rx), .{uart}__tx__io(tx)"
    bench = BENCH.replace("CRYSTAL_NS", f"{crystal:.3f}").replace("PINS", pins)
    bench = bench.replace("LIT", "1'b0" if name in ACTIVE_LOW else "1'b1")
    (directory / "bench.v").write_text(bench)
    (directory / "netlist.ys").write_text(
        "read_json top.json\nselect top\nwrite_verilog -selected -noattr netlist.v\n"
    )
    log = directory / "netlist.log"
    assert tools.call("yosys", ["netlist.ys"], cwd=directory, log=log) == 0, log.read_text()
    (directory / "models.v").write_text(models(name))
    command = ["iverilog", "-g2012", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-s", "bench"]
    command += ["-o", "bench.vvp", "bench.v", "netlist.v", "models.v"]
    subprocess.run(command, cwd=directory, check=True)
    done = subprocess.run(
        ["vvp", "bench.vvp"], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize("name", PINS)
def test_reset_echo_and_leds(name, probe, tmp_path):
    (tmp_path / "top.v").write_text(probe)
    build(tmp_path / "top.v", board(name), tmp_path)
    said = simulate(name, tmp_path / name)

    words = said.split()
    assert words[0::2][:2] == ["lit", "heard"], said
    lit, heard = int(words[1]), int(words[3])
    clock = 1e9 / board(name).clock_hz
    locked = 1000 if board(name).clock_hz != board(name).crystal_hz else 0
    assert 0 <= lit - (locked + 15_000 + 64 * clock) <= 6 * clock, said
    assert 2 * clock < heard <= 3 * clock, said
