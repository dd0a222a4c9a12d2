"""Partial functions of up to six bits as few tables of four inputs.

A function ``f`` of bound and free inputs is ``B(A(bound), free)`` if the columns of its table, one
for each value of the bound inputs, can be told apart as far as they differ by the one bit of ``A``
(Ashenhurst; Curtis for several bits). Here ``B`` may read some bound inputs as well, and whatever
never occurs equals anything.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import NamedTuple

__all__ = ["Step", "decompose"]

Step = tuple[tuple[int, ...], int]
"""Sources and table; sources are the function's inputs, then earlier steps."""


class _Partial(NamedTuple):
    """A function that is 1 on some addresses, 0 on others, and does not care about the rest."""

    inputs: tuple[int, ...]
    on: int
    off: int


@cache
def decompose(
    inputs: int, on: int, off: int, widths: tuple[int, ...] = (1, 1, 1, 1, 1)
) -> tuple[Step, ...]:
    """Return the steps of a decomposition; the last one computes the function.

    Parameters
    ----------
    inputs : int
        Number of inputs, 1 to 6.
    on, off : int
        Addresses (bit ``a`` for address ``a``) that give 1 and 0.
    widths : tuple of int
        Cells that a table of 0, 1, 2, ... inputs takes; a table is not wider than there are
        entries.
    """
    best = _search(_Partial(tuple(range(inputs)), on, off), inputs, widths)
    return tuple(best)


def _cost(steps: Sequence[Step], widths: Sequence[int]) -> int:
    return sum(widths[len(sources)] for sources, _ in steps)


def _search(f: _Partial, free: int, widths: tuple[int, ...]) -> list[Step]:
    """Return the cheapest steps found; ``free`` is the number of the first step."""
    f = _shrunk(f)
    if len(f.inputs) <= 4:
        return [(f.inputs, f.on)]
    best: list[Step] | None = [(f.inputs, f.on)] if len(f.inputs) < len(widths) else None
    for steps in _ways(f, free, widths):
        if best is None or _cost(steps, widths) < _cost(best, widths):
            best = steps
        if _cost(best, widths) <= _least(f):
            return best
    for steps in _two_ways(f, free, widths, None if best is None else _cost(best, widths)):
        best = steps
    assert best is not None
    return best


def _least(f: _Partial) -> int:
    """Return the cells that a function without idle inputs takes at least."""
    return max(min(1, len(f.inputs)), len(f.inputs) - 3)


def _ways(f: _Partial, free: int, widths: tuple[int, ...]) -> Iterator[list[Step]]:
    """Yield decompositions, the more promising first."""
    size = len(f.inputs)
    for common in range(0, 5 - size + 2):
        yield from _one_bit(f, free, widths, 4, common)
    if size == 6:
        yield from _two_bits(f, free)
        yield from _one_bit(f, free, widths, 4, 2)
        yield from _one_bit(f, free, widths, 5, 2)
        yield from _four_ways(f, free)


def _one_bit(
    f: _Partial, free: int, widths: tuple[int, ...], bound: int, common: int
) -> Iterator[list[Step]]:
    """``B(A(bound), free, common)`` with ``common`` of the bound inputs."""
    for chosen in combinations(range(len(f.inputs)), bound):
        for both in combinations(chosen, common):
            found = _split(f, chosen, both)
            if found is None:
                continue
            a_on, a_off, b_on, b_off = found
            names = tuple(f.inputs[n] for n in chosen)
            first = _search(_Partial(names, a_on, a_off), free, widths)
            rest = tuple(f.inputs[n] for n in range(len(f.inputs)) if n not in chosen or n in both)
            node = free + len(first) - 1
            yield first + _search(_Partial((*rest, node), b_on, b_off), node + 1, widths)


@cache
def _layout(size: int, chosen: tuple[int, ...], both: tuple[int, ...]) -> list[list[list[int]]]:
    """Return addresses [value of both][column][row]; a column is a value of the chosen inputs."""
    inner = [n for n in chosen if n not in both]
    outer = [n for n in range(size) if n not in chosen]

    def spread(value: int, places: Sequence[int]) -> int:
        return sum((value >> n & 1) << place for n, place in enumerate(places))

    return [
        [
            [spread(c, both) | spread(v, inner) | spread(r, outer) for r in range(1 << len(outer))]
            for v in range(1 << len(inner))
        ]
        for c in range(1 << len(both))
    ]


def _columns(f: _Partial, addresses: list[list[int]], count: int) -> list[tuple[int, int]] | None:
    """Return where each column is 1 and 0; None if too many columns conflict."""
    columns, apart = list[tuple[int, int]](), list[tuple[int, int]]()
    for rows in addresses:
        on = off = 0
        for n, address in enumerate(rows):
            on |= (f.on >> address & 1) << n
            off |= (f.off >> address & 1) << n
        columns.append((on, off))
        if all(on & other[1] or off & other[0] for other in apart):
            apart.append((on, off))
            if len(apart) > count:
                return None
    return columns


def _split(
    f: _Partial, chosen: tuple[int, ...], both: tuple[int, ...]
) -> tuple[int, int, int, int] | None:
    """Return where A is 1 and 0 over ``chosen``, and B over (others and both, A); None if never."""
    size = len(f.inputs)
    layout = _layout(size, chosen, both)
    colours = []
    for addresses in layout:
        found = _colours(f, addresses, 2)
        if found is None:
            return None
        colours.append(found)
    rest = [n for n in range(size) if n not in chosen or n in both]
    a = [0, 0]
    b_on = b_off = 0
    for addresses, colour in zip(layout, colours, strict=True):
        for rows, value in zip(addresses, colour, strict=True):
            if value is None:  # nothing of the column ever occurs
                continue
            short = sum((rows[0] >> place & 1) << n for n, place in enumerate(chosen))
            a[value] |= 1 << short
            for address in rows:
                to = sum((address >> place & 1) << n for n, place in enumerate(rest))
                to |= value << len(rest)
                b_on |= (f.on >> address & 1) << to
                b_off |= (f.off >> address & 1) << to
    return a[1], a[0], b_on, b_off


def _colours(f: _Partial, addresses: list[list[int]], count: int) -> list[int | None] | None:
    """Give columns that contradict each other different colours; None if they do not suffice."""
    columns = _columns(f, addresses, count)
    if columns is None:
        return None
    merged = [(0, 0)] * count
    colours: list[int | None] = [None] * len(columns)

    def place(n: int) -> bool:
        if n == len(columns):
            return True
        on, off = columns[n]
        if not on | off:
            return place(n + 1)
        fresh = False
        for colour in range(count):
            old = merged[colour]
            if old == (0, 0):
                if fresh:
                    continue
                fresh = True
            if on & old[1] or off & old[0]:
                continue
            merged[colour], colours[n] = (on | old[0], off | old[1]), colour
            if place(n + 1):
                return True
            merged[colour], colours[n] = old, None
        return False

    return colours if place(0) else None


def _two_bits(f: _Partial, free: int) -> Iterator[list[Step]]:
    """``B(A1(bound), A2(bound), free)`` with four bound inputs."""
    for chosen in combinations(range(6), 4):
        (addresses,) = _layout(6, chosen, ())
        colours = _colours(f, addresses, 4)
        if colours is None:
            continue
        tables, b_on = [0, 0], 0
        for v, (rows, colour) in enumerate(zip(addresses, colours, strict=True)):
            if colour is None:
                continue
            for n in range(2):
                tables[n] |= (colour >> n & 1) << v
            for r, address in enumerate(rows):
                b_on |= (f.on >> address & 1) << (r | colour << 2)
        names = tuple(f.inputs[n] for n in chosen)
        others = tuple(f.inputs[n] for n in range(6) if n not in chosen)
        yield [(names, tables[0]), (names, tables[1]), ((*others, free, free + 1), b_on)]


def _two_ways(
    f: _Partial, free: int, widths: tuple[int, ...], limit: int | None
) -> Iterator[list[Step]]:
    """Each half on its own, then one of both; each cheaper than the one before, and than ``limit``.

    A half is not looked at where the other one leaves it no room.
    """
    for place in range(len(f.inputs)):
        low, high = (_shrunk(_half(f, place, value)) for value in (0, 1))
        if limit is not None and _least(low) + _least(high) + 1 >= limit:
            continue
        first = _search(low, free, widths)
        if limit is not None and _cost(first, widths) + _least(high) + 1 >= limit:
            continue
        second = _search(high, free + len(first), widths)
        node = free + len(first)
        nodes = (node - 1, node + len(second) - 1)
        steps = [*first, *second, ((*nodes, f.inputs[place]), 0b11001010)]
        cost = _cost(steps, widths)
        if limit is None or cost < limit:
            limit = cost
            yield steps


def _four_ways(f: _Partial, free: int) -> Iterator[list[Step]]:
    """Each quarter on its own, then one of four by two tables."""
    for low, high in combinations(range(6), 2):
        steps: list[Step] = []
        nodes = []
        for value in range(4):
            part = _shrunk(_half(_half(f, high, value >> 1), low, value & 1))
            steps.append((part.inputs, part.on))
            nodes.append(free + len(steps) - 1)
        s0, s1 = f.inputs[low], f.inputs[high]
        # Without s1: one of the first two; with it: s0 itself, for the next table to choose by.
        first = sum(
            1 << a
            for a in range(16)
            if (a >> 3 & 1 and a >> 2 & 1) or (not a >> 3 & 1 and a >> (a >> 2 & 1) & 1)
        )
        steps.append(((nodes[0], nodes[1], s0, s1), first))
        second = sum(1 << a for a in range(16) if (a >> (1 + (a & 1)) & 1 if a >> 3 & 1 else a & 1))
        steps.append(((free + 4, nodes[2], nodes[3], s1), second))
        yield steps


def _half(f: _Partial, place: int, value: int) -> _Partial:
    """Return the function of the other inputs where input ``place`` has ``value``."""
    size = len(f.inputs)
    inputs = f.inputs[:place] + f.inputs[place + 1 :]
    on, off = (_squeezed(part >> (value << place), size, place) for part in (f.on, f.off))
    return _Partial(inputs, on, off)


def _squeezed(table: int, size: int, place: int) -> int:
    """Return the entries of a table whose address bit ``place`` is 0, close together."""
    for n, mask in enumerate(_KEPT[size][place]):
        table &= mask
        table |= table >> (1 << place + n)
    return table & (1 << (1 << size - 1)) - 1


def _kept(size: int, place: int) -> tuple[int, ...]:
    """Return the entries that count before each step of :func:`_squeezed`.

    With each step the runs of entries that lie together become twice as long.
    """
    return tuple(
        sum(1 << a for a in range(1 << size) if not a >> place + n & 1) for n in range(size - place)
    )


_KEPT = {size: [_kept(size, place) for place in range(size)] for size in range(1, 7)}


def _shrunk(f: _Partial) -> _Partial:
    """Drop inputs that are not needed, one at a time."""
    place, (inputs, on, off) = 0, f
    while place < len(inputs):
        size, step = len(inputs), 1 << place
        either = on | on >> step, off | off >> step
        if either[0] & either[1] & _KEPT[size][place][0]:
            place += 1
        else:
            on, off = (_squeezed(part, size, place) for part in either)
            inputs = inputs[:place] + inputs[place + 1 :]
    return _Partial(inputs, on, off)
