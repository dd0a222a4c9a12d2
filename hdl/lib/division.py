"""Restoring division of an all-ones numerator, one bit of the quotient a cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

__all__ = ["division_step"]


def division_step(m: Module, divisor: Signal, rest: Signal) -> tuple[Signal, Value]:
    """Bring down a one of the numerator; return the next bit of the quotient, and the next rest.

    ``rest`` is always below the divisor, of whose width it is.
    """
    twice = Signal(len(divisor) + 1, name="twice")
    fits = Signal(name="fits")
    m.d.comb += twice.eq(Cat(1, rest))
    m.d.comb += fits.eq(twice >= divisor)
    return fits, Mux(fits, twice - divisor, twice)
