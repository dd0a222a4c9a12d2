"""Platforms of Colorlight's LED receivers i5 and i9 on Muse Lab's extension board.

amaranth-boards has none of them. Where each pin is from: docs/boards.md.
"""

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.resources import LEDResources, UARTResource

__all__ = ["ColorlightI5Platform", "ColorlightI9Platform"]


def _resources(led: str) -> list[Resource]:
    attributes = Attrs(IO_TYPE="LVCMOS33")
    return [
        Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), attributes),
        UARTResource(0, rx="H18", tx="J17", attrs=attributes),
        *LEDResources(pins=led, invert=True, attrs=attributes),
    ]


class ColorlightI5Platform(LatticeECP5Platform):
    """Colorlight i5, revisions 6.0 and 7.0."""

    device = "LFE5U-25F"
    package = "BG381"
    speed = "6"
    default_clk = "clk25"
    resources = _resources("U16")
    connectors = []


class ColorlightI9Platform(LatticeECP5Platform):
    """Colorlight i9, revision 7.2."""

    device = "LFE5U-45F"
    package = "BG381"
    speed = "6"
    default_clk = "clk25"
    resources = _resources("L2")
    connectors = []
