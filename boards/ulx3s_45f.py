"""Radiona ULX3S with the ECP5 of 45,000 lookup tables."""

from .board import Board
from .chips import ECP5_45, ECP5_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s_45f",
    title="Radiona ULX3S 45F",
    family="ecp5",
    device="LFE5U-45F",
    package="BG381",
    budget=ECP5_45,
    platform="amaranth_boards.ulx3s:ULX3S_45F_Platform",
    clock="clk25",
    crystal_hz=25_000_000,
    clock_hz=50_000_000,
    leds=(("led", 0), ("led", 1)),
    synth=ECP5_SYNTH,
    nextpnr=("--45k", "--package", "CABGA381", "--speed", "6"),
    usb="0403:6015",
    method="jtag",
    idcode=0x41112043,
    loader="ulx3s",
    targets=("sram", "spi"),
)
