"""1BitSquared iCEBreaker: iCE40UP5K, the board of the demonstration."""

from .board import Board, Budget

__all__ = ["BOARD"]

BOARD = Board(
    name="icebreaker",
    title="1BitSquared iCEBreaker",
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
    platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
    clock="clk12",
    crystal_hz=12_000_000,
    clock_hz=12_000_000,
    leds=(("led_g", 0), ("led_r", 0)),
    baud=1_000_000,  # 12 clocks a bit, and a rate that the FT2232H divides exactly
    synth=(
        "-dsp",  # off by default; a 16x16 product is 776 LUTs without it
        "-abc9",  # the mapper that knows delays
    ),
    nextpnr=("--up5k", "--package", "sg48"),
    usb="0403:6010",
    method="spi",
    loader="ice40_generic",  # the same FTDI wiring; openFPGALoader has no entry of its own
    targets=("spi", "sram"),
    hint="SRAM needs the jumpers J15 turned; the flash memory needs them as they come.",
)
