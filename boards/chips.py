"""Budgets and Yosys options of the chips, which boards share."""

from .board import Budget

__all__ = [
    "ECP5_25",
    "ECP5_45",
    "ECP5_85",
    "ECP5_SYNTH",
    "ICE40_8K",
    "ICE40_SYNTH",
    "UP5K",
    "UP5K_SYNTH",
]


def _ice40(luts: int, ebr: int, **more: int) -> Budget:
    return Budget(luts=luts, ebr=ebr, ebr_bits=4_096, ebr_width=16, **more)


def _ecp5(luts: int, ebr: int, dsp: int) -> Budget:
    return Budget(luts=luts, ebr=ebr, ebr_bits=18_432, ebr_width=36, dsp=dsp)


UP5K = _ice40(5_280, 30, spram=4, spram_bits=256 * 1024, dsp=8)
ICE40_8K = _ice40(7_680, 32)
"""Of HX8K and LP8K."""
ECP5_25 = _ecp5(24_288, 56, 28)
"""Of LFE5U and LFE5UM5G alike, as those that follow."""
ECP5_45 = _ecp5(43_848, 108, 72)
ECP5_85 = _ecp5(83_640, 208, 156)

ICE40_SYNTH = ("-abc9",)  # the mapper that knows delays
UP5K_SYNTH = (
    "-dsp",  # off by default; a 16x16 product is 776 LUTs without it
    *ICE40_SYNTH,
)
ECP5_SYNTH = (
    "-abc9",  # the mapper that knows delays
    "-nowidelut",  # adders and popcounts are half as large
)
