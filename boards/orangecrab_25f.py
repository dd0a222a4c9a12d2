"""OrangeCrab 0.2 with the ECP5 of 25,000 lookup tables; a USB bootloader and no serial line."""

from .board import Board, UartPins
from .chips import ECP5_25, ECP5_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="orangecrab_25f",
    title="OrangeCrab 25F",
    family="ecp5",
    device="LFE5U-25F",
    package="MG285",
    budget=ECP5_25,
    platform="amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
    clock="clk",
    crystal_hz=48_000_000,
    clock_hz=48_000_000,
    uart=UartPins(rx="0", tx="1", connector=("io", 0)),  # as printed on the board
    leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "r")),
    synth=ECP5_SYNTH,
    nextpnr=("--25k", "--package", "CSFBGA285", "--speed", "8"),
    usb="1209:5af0",
    method="dfu",
    loader="orangeCrab",
    targets=("spi",),
    hint="Hold the button while you plug it in: that starts the bootloader, which is written to.",
)
