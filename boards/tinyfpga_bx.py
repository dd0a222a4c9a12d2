"""TinyFPGA BX: iCE40LP8K with a USB bootloader and no serial line."""

from .board import Board, UartPins
from .chips import ICE40_8K, ICE40_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="tinyfpga_bx",
    title="TinyFPGA BX",
    family="ice40",
    device="iCE40LP8K",
    package="CM81",
    budget=ICE40_8K,
    platform="amaranth_boards.tinyfpga_bx:TinyFPGABXPlatform",
    clock="clk16",
    crystal_hz=16_000_000,
    clock_hz=16_000_000,
    pll_input="core",
    uart=UartPins(rx="2", tx="1", connector=("gpio", 0)),  # as printed on the board
    leds=(("led", 0),),
    synth=ICE40_SYNTH,
    nextpnr=("--lp8k", "--package", "cm81"),
    usb="1d50:6130",
    method="tinyprog",  # its bootloader speaks no DFU
    targets=("spi",),
    hint="Press the button: that starts the bootloader, which is written to.",
)
