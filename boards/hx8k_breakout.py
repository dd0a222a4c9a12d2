"""Lattice iCE40-HX8K breakout board (iCE40HX8K-B-EVN): no multipliers, no large memories."""

from .board import Board
from .chips import ICE40_8K, ICE40_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="hx8k_breakout",
    title="Lattice iCE40-HX8K breakout",
    family="ice40",
    device="iCE40HX8K",
    package="CT256",
    budget=ICE40_8K,
    platform="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
    clock="clk12",
    crystal_hz=12_000_000,
    clock_hz=36_000_000,
    pll_input="core",
    leds=(("led", 0), ("led", 1)),  # D2 and D3
    synth=ICE40_SYNTH,
    nextpnr=("--hx8k", "--package", "ct256"),
    usb="0403:6010",
    method="spi",
    loader="ice40_generic",
    targets=("spi", "sram"),
    hint="SRAM needs the jumpers J6 turned and J7 taken off; the flash memory needs J7.",
)
