"""Colorlight i9 7.2 on Muse Lab's extension board."""

from .board import Board
from .chips import ECP5_45, ECP5_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="colorlight_i9",
    title="Colorlight i9",
    family="ecp5",
    device="LFE5U-45F",
    package="BG381",
    budget=ECP5_45,
    platform="lutformer.boards.colorlight:ColorlightI9Platform",
    clock="clk25",
    crystal_hz=25_000_000,
    clock_hz=50_000_000,
    leds=(("led", 0),),
    baud=115_200,  # of the extension board's probe; nobody vouches for more
    synth=ECP5_SYNTH,
    nextpnr=("--45k", "--package", "CABGA381", "--speed", "6"),
    usb="0d28:0204",
    method="jtag",
    idcode=0x41112043,
    loader="colorlight-i9",
    targets=("sram", "spi"),
)
