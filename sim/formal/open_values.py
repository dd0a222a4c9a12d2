"""Functions of bits of which the source says nothing: where they are open, and what they are else.

Three values, as a simulator of Verilog has them: a gate's output is open if its inputs leave it so.
"""

from collections.abc import Sequence

from .aig import Aig, Literal

__all__ = ["open_values"]

Rails = tuple[Literal, Literal]
"""Whether a function may be 0, and whether it may be 1."""


def open_values(aig: Aig, literals: Sequence[Literal], unknown: Literal) -> list[Rails]:
    """Return for each literal whether it is open, and what it is where it is not.

    ``unknown`` is the input that stands for every bit of which nothing is said.
    """
    open_ = {unknown >> 1: (1, 1)}
    for node in aig.above(literals, {0, *open_}):
        fanins = aig.fanins(node)
        if fanins is None or not any(fanin >> 1 in open_ for fanin in fanins):
            continue
        (low, high), (other_low, other_high) = (_rails(open_, fanin) for fanin in fanins)
        open_[node] = aig.or_(low, other_low), aig.and_(high, other_high)
    rails = [_rails(open_, literal) for literal in literals]
    return [(aig.and_(low, high), high) for low, high in rails]


def _rails(open_: dict[int, Rails], literal: Literal) -> Rails:
    low, high = open_.get(literal >> 1, (literal & ~1 ^ 1, literal & ~1))
    return (high, low) if literal & 1 else (low, high)
