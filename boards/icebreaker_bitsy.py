"""1BitSquared iCEBreaker-bitsy 1.x: iCE40UP5K with a USB bootloader and no serial line."""

from .board import Board, UartPins
from .chips import UP5K, UP5K_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="icebreaker_bitsy",
    title="1BitSquared iCEBreaker-bitsy",
    family="ice40",
    device="iCE40UP5K",
    package="SG48",
    budget=UP5K,
    platform="amaranth_boards.icebreaker_bitsy:ICEBreakerBitsyPlatform",
    clock="clk12",
    crystal_hz=12_000_000,
    clock_hz=12_000_000,
    uart=UartPins(rx="0", tx="1", connector=("edge", 0)),  # P0 and P1, pins 1 and 7 of PMOD 1
    leds=(("led_g", 0), ("led_r", 0)),
    synth=UP5K_SYNTH,
    nextpnr=("--up5k", "--package", "sg48"),
    usb="1d50:6146",
    method="dfu",
    loader="icebreaker-bitsy",
    targets=("spi",),
    hint="Hold the button while you plug it in: that starts the bootloader, which is written to.",
)
