"""Colorlight i5 6.0 or 7.0 on Muse Lab's extension board."""

from .board import Board
from .chips import ECP5_25, ECP5_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="colorlight_i5",
    title="Colorlight i5",
    family="ecp5",
    device="LFE5U-25F",
    package="BG381",
    budget=ECP5_25,
    platform="lutformer.boards.colorlight:ColorlightI5Platform",
    clock="clk25",
    crystal_hz=25_000_000,
    clock_hz=50_000_000,
    leds=(("led", 0),),
    baud=115_200,  # of the extension board's probe; nobody vouches for more
    synth=ECP5_SYNTH,
    nextpnr=("--25k", "--package", "CABGA381", "--speed", "6"),
    usb="0d28:0204",
    method="jtag",
    idcode=0x41111043,
    loader="colorlight-i5",
    targets=("sram", "spi"),
)
