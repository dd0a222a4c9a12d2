"""Counting the set bits of each class with lookup tables of four inputs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .graph import FAN_IN, ONE, ZERO, LutGraph

__all__ = ["count_ones"]

NEAR = 64
"""Tables, in the order of their sources, among which a table's partner is looked for."""


def count_ones(
    graph: LutGraph, bits: Sequence[int], constant: int = 0, *, shared: frozenset[int] = frozenset()
) -> list[int]:
    """Return the binary digits of ``constant`` plus the number of set ``bits``, lowest first.

    Two full adders in a row take three tables instead of four where one of their two pairs of
    inputs comes as a bit and the difference of both bits, and they pass on their own carries so
    (after the double full adder of Demenkov et al., 2010, for gates of two inputs). Tables that
    fit into one of four inputs together are paired so from the start, unless they are ``shared``.
    A bit that occurs twice counts two.
    """
    width = (len(bits) + constant).bit_length()
    columns = [_Column() for _ in range(width + 1)]
    for weight in range(width):
        columns[weight].bits += [ONE] * (constant >> weight & 1)
    for bit, times in Counter(bits).items():
        for weight in range(width):
            columns[weight].bits += [bit] * (times >> weight & 1)
    _pair_tables(graph, columns[0], shared)
    return [_add(graph, columns[weight], columns[weight + 1]) for weight in range(width)]


@dataclass
class _Column:
    """The terms of one weight: bits, and pairs of a bit and its difference from another."""

    bits: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)


def _pair_tables(graph: LutGraph, column: _Column, shared: frozenset[int]) -> None:
    """Replace two tables of four inputs in all by one of them and their difference."""
    free = [bit for bit in column.bits if graph.sources[bit] and bit not in shared]
    free.sort(key=lambda bit: graph.sources[bit])
    while free:
        bit = free.pop()
        near = free[-NEAR:]
        unions = [len(graph.support(bit, other)) for other in near]
        if not unions or min(unions) > FAN_IN:
            continue
        other = near[unions.index(min(unions))]
        free.remove(other)
        column.bits.remove(bit)
        column.bits.remove(other)
        column.pairs.append((bit, graph.merge(lambda a, b: a ^ b, bit, other)))


def _add(graph: LutGraph, column: _Column, above: _Column) -> int:
    """Reduce a column to one bit and put the carries into the one above."""
    while len(column.bits) + 2 * len(column.pairs) > 4 or len(column.pairs) == 2:
        column.bits.sort(key=lambda bit: graph.levels[bit])
        column.pairs.sort(key=lambda pair: max(graph.levels[bit] for bit in pair))
        z = column.bits.pop(0) if column.bits else ZERO
        if len(column.pairs) >= 1 and len(column.bits) >= 2:
            sum_, pair = _bits_and_pair(graph, z, column)
        elif len(column.pairs) >= 2:
            sum_, pair = _two_pairs(graph, z, column)
        else:
            sum_, pair = _four_bits(graph, z, column)
        column.bits.append(sum_)
        above.pairs.append(pair)
    return _last(graph, column, above)


def _bits_and_pair(graph: LutGraph, z: int, column: _Column) -> tuple[int, tuple[int, int]]:
    x, y = column.bits.pop(0), column.bits.pop(0)
    p, q = column.pairs.pop(0)
    sum_ = graph.apply(lambda z, x, y, q: z ^ x ^ y ^ q, z, x, y, q)
    carry = graph.apply(lambda z, x, y: z + x + y >= 2, z, x, y)
    # The sum of z, x and y is sum_ ^ q; it is the second carry where the pair differs.
    differ = graph.apply(lambda c, q, s, p: c ^ (s ^ q if q else p), carry, q, sum_, p)
    return sum_, (carry, differ)


def _two_pairs(graph: LutGraph, z: int, column: _Column) -> tuple[int, tuple[int, int]]:
    (p1, q1), (p2, q2) = column.pairs.pop(0), column.pairs.pop(0)
    sum_ = graph.apply(lambda z, q1, q2: z ^ q1 ^ q2, z, q1, q2)
    carry = graph.apply(lambda z, p, q: z if q else p, z, p1, q1)
    differ = graph.apply(lambda c, q, s, p: c ^ (s ^ q if q else p), carry, q2, sum_, p2)
    return sum_, (carry, differ)


def _four_bits(graph: LutGraph, z: int, column: _Column) -> tuple[int, tuple[int, int]]:
    a, b, c, d = (column.bits.pop(0) for _ in range(4))
    first = graph.apply(lambda z, a, b: z ^ a ^ b, z, a, b)
    carry = graph.apply(lambda z, a, b: z + a + b >= 2, z, a, b)
    sum_ = graph.apply(lambda s, c, d: s ^ c ^ d, first, c, d)
    differ = graph.apply(lambda k, s, c, d: k ^ (s + c + d >= 2), carry, first, c, d)
    return sum_, (carry, differ)


def _last(graph: LutGraph, column: _Column, above: _Column) -> int:
    """Add up to four bits, or a pair and up to two bits."""
    bits = column.bits
    if column.pairs:
        ((p, q),) = column.pairs
        z = bits[0] if bits else ZERO
        carry = graph.apply(lambda z, p, q: z if q else p & ~q, z, p, q)
        if len(bits) < 2:
            above.bits.append(carry)
            return graph.apply(lambda z, q: z ^ q, z, q)
        sum_ = graph.apply(lambda z, q, x: z ^ q ^ x, z, q, bits[1])
        differ = graph.apply(lambda c, s, x: c ^ (x & ~s), carry, sum_, bits[1])
        above.pairs.append((carry, differ))
        return sum_
    if len(bits) == 4:
        carry = graph.apply(lambda a, b, c: a + b + c >= 2, *bits[:3])
        differ = graph.apply(lambda a, b, c, d: (a + b + c >= 2) ^ (a ^ b ^ c) & d, *bits)
        above.pairs.append((carry, differ))
    elif len(bits) >= 2:
        above.bits.append(graph.apply(lambda *bits: sum(bits) >= 2, *bits))
    return graph.apply(lambda *bits: sum(bits) & 1, *bits) if bits else ZERO
