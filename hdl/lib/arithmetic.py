"""Combinational pieces shared by the components."""

from collections.abc import Sequence
from typing import Literal

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

__all__ = [
    "CARRY_LEAF",
    "Popcount",
    "adder_tree",
    "clamp",
    "multiple",
    "multiply",
    "multiply_signed",
    "popcount",
    "product_cells",
    "select",
    "shift_right",
    "signed_sum",
]

Popcount = Literal["tree", "carry"]
CARRY_LEAF = 15
"""Bits up to which compressors take fewer cells than adders with carry inputs."""


def clamp(value: Value, bits: int) -> Value:
    """Saturate a signed value to ``bits`` bits (docs/math.md, Eq. 1)."""
    if len(value) <= bits:
        return value.as_signed()
    negative, top = value[-1], value[bits - 1 :]
    fits = (top == 0) | top.all()
    return Mux(fits, value[:bits], Cat((~negative).replicate(bits - 1), negative)).as_signed()


def adder_tree(values: Sequence[Value]) -> Value:
    """Sum values pairwise, so that the depth is logarithmic."""
    level = list(values)
    while len(level) > 1:
        pairs = [a + b for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[2 * len(pairs) :]
    return level[0] if level else Const(0)


def popcount(bits: Value, kind: Popcount = "tree") -> Value:
    """Count the set bits.

    ``"tree"`` is a sum that Yosys makes compressors of, whatever its shape here. In ``"carry"``,
    above :data:`CARRY_LEAF` bits every adder takes one more bit as its carry, written so that
    Yosys leaves it as it is: smaller and faster on the iCE40 (``benchmarks/popcount.py``).
    """
    if kind == "tree" or len(bits) <= CARRY_LEAF:
        return adder_tree(list(bits))[: len(bits).bit_length()]
    half = (len(bits) - 1) // 2
    low, high = popcount(bits[:half], kind), popcount(bits[half:-1], kind)
    return (Cat(1, low) + Cat(bits[-1], high))[1:]


def multiply(a: Value, b: Value, *, dsp: bool) -> Value:
    """Multiply signed ``a`` by unsigned ``b``, in a DSP block or as shifted additions."""
    if dsp:
        return a * b
    return adder_tree([Mux(bit, a, 0).as_signed() << n for n, bit in enumerate(b)])


def product_cells(a_width: int, b_width: int) -> int:
    """Return the LUT4s of a product as shifted additions, estimated; a fit to syntheses."""
    return round(3.3 * a_width * b_width)


def multiply_signed(a: Value, b: Value, *, dsp: bool) -> Value:
    """Multiply two signed values, in a DSP block or as shifted additions."""
    if dsp:
        return a * b
    terms = [Mux(bit, a, 0).as_signed() << n for n, bit in enumerate(b)]
    return (adder_tree(terms[:-1]) - terms[-1]).as_signed()


def shift_right(m: Module, value: Value, amount: Value, width: int) -> Value:
    """Return the low ``width`` bits of ``value >> amount``, signed; largest shifts first.

    The order keeps each stage as narrow as what follows can still use.
    """
    for n in reversed(range(len(amount))):
        keep = min(len(value), width + (1 << n) - 1)
        shifted = value.as_signed() >> (1 << n)
        stage = Signal(keep, name=f"shifted_by_{1 << n}")
        m.d.comb += stage.eq(Mux(amount[n], shifted, value.as_signed()))
        value = stage.as_signed()
    return value[:width].as_signed()


def select(words: Sequence[Value], index: Value) -> Value:
    """Return ``words[index]`` by a tree of two-way multiplexers."""
    if len(words) == 1:
        return words[0]
    half = 1 << (len(words) - 1).bit_length() - 1
    upper = index[half.bit_length() - 1]
    return Mux(upper, select(words[half:], index), select(words[:half], index))


def multiple(index: Value, factor: int, count: int) -> Value:
    """Return ``index * factor`` for an index below ``count``, without the DSP of a product."""
    return select([Const(n * factor) for n in range(count)], index)


def signed_sum(terms: Sequence[Value], negate: Sequence[Value]) -> Value:
    """Sum signed ``terms``, each one replaced by its negative where its bit of ``negate`` is set.

    Terms are inverted, and the ones that complete the two's complements ride on the carry inputs
    of the adders.
    """
    level: list[Value] = [
        (term.as_unsigned() ^ bit.replicate(len(term))).as_signed()
        for term, bit in zip(terms, negate, strict=True)
    ]
    carries = list(negate)
    while len(level) > 1:
        pairs = []
        for a, b in zip(level[::2], level[1::2], strict=False):
            pairs.append(
                (Cat(1, a).as_signed() + Cat(carries.pop(), b).as_signed() >> 1).as_signed()
            )
        level = pairs + level[2 * len(pairs) :]
    return level[0] + carries[0]
