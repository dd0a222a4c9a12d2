"""Radiona ULX3S with the ECP5 of 25,000 lookup tables."""

from .board import Board
from .chips import ECP5_25, ECP5_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s_25f",
    title="Radiona ULX3S 25F",
    family="ecp5",
    device="LFE5U-25F",
    package="BG381",
    budget=ECP5_25,
    platform="amaranth_boards.ulx3s:ULX3S_25F_Platform",
    clock="clk25",
    crystal_hz=25_000_000,
    clock_hz=50_000_000,
    leds=(("led", 0), ("led", 1)),
    synth=ECP5_SYNTH,
    nextpnr=("--25k", "--package", "CABGA381", "--speed", "6"),
    usb="0403:6015",
    method="jtag",
    idcode=0x41111043,
    loader="ulx3s",
    targets=("sram", "spi"),
)
