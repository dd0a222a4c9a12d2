"""1BitSquared iCEBreaker-bitsy 1.x: iCE40UP5K with a USB bootloader and no serial line."""

from .board import Board, Budget, UartPins

__all__ = ["BOARD"]

BOARD = Board(
    name="icebreaker_bitsy",
    title="1BitSquared iCEBreaker-bitsy",
    family="ice40",
    device="iCE40UP5K",
    package="SG48",
    budget=Budget(
        luts=5_280,
        ebr=30,
        ebr_bits=4_096,
        ebr_width=16,
        spram=4,
        spram_bits=256 * 1024,
        dsp=8,
    ),
    platform="amaranth_boards.icebreaker_bitsy:ICEBreakerBitsyPlatform",
    clock="clk12",
    crystal_hz=12_000_000,
    clock_hz=12_000_000,
    uart=UartPins(rx="0", tx="1", connector=("edge", 0)),  # P0 and P1, pins 1 and 7 of PMOD 1
    leds=(("led_g", 0), ("led_r", 0)),
    synth=(
        "-dsp",  # off by default; a 16x16 product is 776 LUTs without it
        "-abc9",  # the mapper that knows delays
    ),
    nextpnr=("--up5k", "--package", "sg48"),
    usb="1d50:6146",
    method="dfu",
    loader="icebreaker-bitsy",
    targets=("spi",),
    hint="Hold the button while you plug it in: that starts the bootloader, which is written to.",
)
