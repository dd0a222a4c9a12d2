"""LambdaConcept ECPIX-5 with the ECP5-5G of 45,000 lookup tables."""

from .board import Board
from .chips import ECP5_45, ECP5_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="ecpix5_45f",
    title="LambdaConcept ECPIX-5 45F",
    family="ecp5",
    device="LFE5UM5G-45F",
    package="BG554",
    budget=ECP5_45,
    platform="amaranth_boards.ecpix5:ECPIX545Platform",
    clock="clk100",
    crystal_hz=100_000_000,
    clock_hz=50_000_000,
    leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "r")),
    synth=ECP5_SYNTH,
    nextpnr=("--um5g-45k", "--package", "CABGA554", "--speed", "8"),
    usb="0403:6010",
    method="jtag",
    idcode=0x81112043,
    loader="ecpix5",  # revision 3 of the board: ecpix5_r03
    targets=("sram", "spi"),
)
