"""Radiona ULX3S with the largest ECP5: room for networks that the UP5K does not hold."""

from .board import Board, Budget

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s_85f",
    title="Radiona ULX3S 85F",
    family="ecp5",
    device="LFE5U-85F",
    package="BG381",
    budget=Budget(
        luts=83_640,
        ebr=208,
        ebr_bits=18_432,
        ebr_width=36,
        dsp=156,
    ),
    platform="amaranth_boards.ulx3s:ULX3S_85F_Platform",
    clock="clk25",
    crystal_hz=25_000_000,
    clock_hz=50_000_000,
    leds=(("led", 0), ("led", 1)),
    synth=(
        "-abc9",  # the mapper that knows delays
        "-nowidelut",  # adders and popcounts are half as large
    ),
    nextpnr=("--85k", "--package", "CABGA381", "--speed", "6"),
    usb="0403:6015",
    method="jtag",
    idcode=0x41113043,
    loader="ulx3s",
    targets=("sram", "spi"),
)
