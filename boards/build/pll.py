"""Clock multipliers of the two chip families: which dividers, and the cell."""

from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

from amaranth.hdl import Instance, IOValue, Signal, Value

__all__ = ["Ecp5Pll", "Ice40Pll", "ecp5_pll", "ice40_pll"]

MHZ = 1_000_000
Pll = TypeVar("Pll")


@dataclass(frozen=True, kw_only=True)
class Ecp5Pll:
    """Dividers of an EHXPLLL: out = in * feedback / reference; VCO = out * output."""

    reference: int
    feedback: int
    output: int
    crystal_hz: int
    clock_hz: int

    def cell(self, *, clk_in: Value, clk_out: Signal, locked: Signal) -> Instance:
        """Return the cell, its feedback taken from the output that it drives."""
        return Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{self.crystal_hz / MHZ:g}",
            a_FREQUENCY_PIN_CLKOP=f"{self.clock_hz / MHZ:g}",
            p_CLKI_DIV=self.reference,
            p_CLKFB_DIV=self.feedback,
            p_CLKOP_DIV=self.output,
            p_CLKOP_CPHASE=self.output - 1,  # no phase shift
            p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=clk_in,
            i_CLKFB=clk_out,
            i_RST=0,
            i_STDBY=0,
            o_CLKOP=clk_out,
            o_LOCK=locked,
        )


def ecp5_pll(crystal_hz: int, clock_hz: int) -> Ecp5Pll:
    """Return dividers that give ``clock_hz`` exactly, with the VCO nearest to its middle.

    Limits of the ECP5 data sheet: phase detector 10 to 400 MHz, VCO 400 to 800 MHz.
    """
    found: list[tuple[int, Ecp5Pll]] = []
    for reference, output in product(range(1, 41), range(1, 129)):
        feedback, remainder = divmod(clock_hz * reference, crystal_hz)
        vco = clock_hz * output
        exact = remainder == 0 and 1 <= feedback <= 80
        if exact and crystal_hz >= 10 * MHZ * reference and 400 * MHZ <= vco <= 800 * MHZ:
            pll = Ecp5Pll(
                reference=reference,
                feedback=feedback,
                output=output,
                crystal_hz=crystal_hz,
                clock_hz=clock_hz,
            )
            found.append((abs(vco - 600 * MHZ) + reference, pll))
    return _best(found, crystal_hz, clock_hz)


@dataclass(frozen=True, kw_only=True)
class Ice40Pll:
    """Dividers of an SB_PLL40: out = in * (f + 1) / ((r + 1) * 2**q)."""

    r: int
    f: int
    q: int
    filter_range: int

    def pad_cell(self, *, pin: IOValue, clk_out: Signal, locked: Signal) -> Instance:
        """Return the cell that takes its clock straight from the PLL's own pad."""
        return self._cell("PAD", i_PACKAGEPIN=pin, o_PLLOUTGLOBAL=clk_out, o_LOCK=locked)

    def core_cell(self, *, clk_in: Value, clk_out: Signal, locked: Signal) -> Instance:
        """Return the cell that takes its clock from anywhere on the chip."""
        return self._cell("CORE", i_REFERENCECLK=clk_in, o_PLLOUTGLOBAL=clk_out, o_LOCK=locked)

    def _cell(self, kind: str, **ports: Any) -> Instance:
        return Instance(
            f"SB_PLL40_{kind}",
            p_FEEDBACK_PATH="SIMPLE",
            p_DIVR=self.r,
            p_DIVF=self.f,
            p_DIVQ=self.q,
            p_FILTER_RANGE=self.filter_range,
            i_RESETB=1,
            i_BYPASS=0,
            **ports,
        )


def ice40_pll(crystal_hz: int, clock_hz: int) -> Ice40Pll:
    """Return dividers that give ``clock_hz`` exactly, with the fastest phase detector.

    Limits of the iCE40 data sheet: phase detector 10 to 133 MHz, VCO 533 to 1066 MHz.
    """
    found: list[tuple[int, Ice40Pll]] = []
    for r, q in product(range(16), range(1, 7)):
        detector, rest = divmod(crystal_hz, r + 1)
        multiple, remainder = divmod(clock_hz << q, detector)
        exact = rest == remainder == 0 and 1 <= multiple <= 128
        if exact and 10 * MHZ <= detector <= 133 * MHZ and 533 * MHZ <= clock_hz << q <= 1066 * MHZ:
            pll = Ice40Pll(r=r, f=multiple - 1, q=q, filter_range=_filter_range(detector))
            found.append((r, pll))
    return _best(found, crystal_hz, clock_hz)


def _filter_range(detector_hz: int) -> int:
    limits = (17, 26, 44, 66, 101)  # MHz, from the data sheet's table
    return 1 + sum(detector_hz >= limit * MHZ for limit in limits)


def _best(found: list[tuple[int, Pll]], crystal_hz: int, clock_hz: int) -> Pll:
    if not found:
        raise ValueError(f"No PLL setting gives {clock_hz} Hz from a crystal of {crystal_hz} Hz")
    return min(found, key=lambda pair: pair[0])[1]
