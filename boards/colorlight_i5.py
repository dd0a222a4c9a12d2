"""Colorlight i5 6.0 or 7.0 on Muse Lab's extension board."""

from .board import Board, Budget

__all__ = ["BOARD"]

BOARD = Board(
    name="colorlight_i5",
    title="Colorlight i5",
    family="ecp5",
    device="LFE5U-25F",
    package="BG381",
    budget=Budget(
        luts=24_288,
        ebr=56,
        ebr_bits=18_432,
        ebr_width=36,
        dsp=28,
    ),
    platform="lutformer.boards.colorlight:ColorlightI5Platform",
    clock="clk25",
    crystal_hz=25_000_000,
    clock_hz=50_000_000,
    leds=(("led", 0),),
    baud=115_200,  # of the extension board's probe; nobody vouches for more
    synth=(
        "-abc9",  # the mapper that knows delays
        "-nowidelut",  # adders and popcounts are half as large
    ),
    nextpnr=("--25k", "--package", "CABGA381", "--speed", "6"),
    usb="0d28:0204",
    method="jtag",
    idcode=0x41111043,
    loader="colorlight-i5",
    targets=("sram", "spi"),
)
