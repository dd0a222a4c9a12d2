"""LambdaConcept ECPIX-5 with the ECP5-5G of 85,000 lookup tables."""

from .board import Board
from .chips import ECP5_85, ECP5_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="ecpix5_85f",
    title="LambdaConcept ECPIX-5 85F",
    family="ecp5",
    device="LFE5UM5G-85F",
    package="BG554",
    budget=ECP5_85,
    platform="amaranth_boards.ecpix5:ECPIX585Platform",
    clock="clk100",
    crystal_hz=100_000_000,
    clock_hz=50_000_000,
    leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "r")),
    synth=ECP5_SYNTH,
    nextpnr=("--um5g-85k", "--package", "CABGA554", "--speed", "8"),
    usb="0403:6010",
    method="jtag",
    idcode=0x81113043,
    loader="ecpix5",  # revision 3 of the board: ecpix5_r03
    targets=("sram", "spi"),
)
