"""1BitSquared iCEBreaker: iCE40UP5K, the board of the demonstration."""

from .board import Board
from .chips import UP5K, UP5K_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="icebreaker",
    title="1BitSquared iCEBreaker",
    family="ice40",
    device="iCE40UP5K",
    package="SG48",
    budget=UP5K,
    platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
    clock="clk12",
    crystal_hz=12_000_000,
    clock_hz=12_000_000,
    leds=(("led_g", 0), ("led_r", 0)),
    baud=1_000_000,  # 12 clocks a bit, and a rate that the FT2232H divides exactly
    synth=UP5K_SYNTH,
    nextpnr=("--up5k", "--package", "sg48"),
    usb="0403:6010",
    method="spi",
    loader="ice40_generic",  # the same FTDI wiring; openFPGALoader has no entry of its own
    targets=("spi", "sram"),
    hint="SRAM needs the jumpers J15 turned; the flash memory needs them as they come.",
)
