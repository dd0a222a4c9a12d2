"""Radiona ULX3S with the largest ECP5: room for networks that the UP5K does not hold."""

from .board import Board
from .chips import ECP5_85, ECP5_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s_85f",
    title="Radiona ULX3S 85F",
    family="ecp5",
    device="LFE5U-85F",
    package="BG381",
    budget=ECP5_85,
    platform="amaranth_boards.ulx3s:ULX3S_85F_Platform",
    clock="clk25",
    crystal_hz=25_000_000,
    clock_hz=50_000_000,
    leds=(("led", 0), ("led", 1)),
    synth=ECP5_SYNTH,
    nextpnr=("--85k", "--package", "CABGA381", "--speed", "6"),
    usb="0403:6015",
    method="jtag",
    idcode=0x41113043,
    loader="ulx3s",
    targets=("sram", "spi"),
)
