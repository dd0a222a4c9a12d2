"""tinyVision.ai UPduino 3.x: iCE40UP5K."""

from .board import Board, UartPins
from .chips import UP5K, UP5K_SYNTH

__all__ = ["BOARD"]

BOARD = Board(
    name="upduino_v3",
    title="tinyVision.ai UPduino 3",
    family="ice40",
    device="iCE40UP5K",
    package="SG48",
    budget=UP5K,
    platform="amaranth_boards.upduino_v3:UpduinoV3Platform",
    clock="clk12",
    crystal_hz=12_000_000,
    clock_hz=12_000_000,
    uart=UartPins(rx="38", tx="28"),  # as printed beside the header; the FTDI has but the SPI bus
    leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "r")),
    synth=UP5K_SYNTH,
    nextpnr=("--up5k", "--package", "sg48"),
    usb="0403:6014",
    method="spi",
    loader="ice40_generic",
    cable="ft232",  # an FT232H, wired as the FT2232H of other boards
    targets=("spi",),
    hint="Solder the jumper OSC: it brings the 12 MHz of the oscillator to pin 20.",
)
