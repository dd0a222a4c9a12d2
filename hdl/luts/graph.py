"""Combinational logic as a graph of small lookup tables, mapped here and not by the synthesiser."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["FAN_IN", "ONE", "ZERO", "LutGraph", "table_of"]

ZERO, ONE = 0, 1
"""The constants, nodes of every graph."""
FAN_IN = 4
"""Inputs of the tables of the fabric."""


def table_of(function: Callable[..., object], inputs: int) -> int:
    """Return the truth table of a function of bits: bit ``a`` is its value at address ``a``."""
    return sum(1 << a for a in range(1 << inputs) if function(*(a >> n & 1 for n in range(inputs))))


@dataclass
class LutGraph:
    """Nodes that are constants, inputs or lookup tables; a node is known by its number.

    Equal nodes are one node, constants and inputs without effect vanish, and inverters are taken
    into the tables that read them.

    Attributes
    ----------
    size : int
        Most inputs of a table.
    inputs : list of int
        The nodes that are inputs, in order.
    sources : list of tuple of int
        What each node reads; inputs and constants nothing.
    tables : list of int
        Truth table of each node, bit ``a`` for address ``a``, address bit 0 the first source.
    levels : list of int
        Number of tables on the longest way to each node.
    """

    size: int = FAN_IN
    inputs: list[int] = field(default_factory=list)
    sources: list[tuple[int, ...]] = field(default_factory=lambda: [(), ()])
    tables: list[int] = field(default_factory=lambda: [0, 1])
    levels: list[int] = field(default_factory=lambda: [0, 0])
    _known: dict[tuple[tuple[int, ...], int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = {((), 0): ZERO, ((), 1): ONE}

    def input(self) -> int:
        """Add an input."""
        self.inputs.append(self._append((), 0, 0))
        return self.inputs[-1]

    def lut(self, sources: Sequence[int], table: int) -> int:
        """Return the node that looks ``sources`` up in ``table``."""
        sources, table = self._simplify(sources, table)
        if len(sources) == 1 and table == 0b10:
            return sources[0]
        if len(sources) > self.size:
            raise ValueError(f"A table has at most {self.size} inputs, not {len(sources)}")
        known = self._known.get((sources, table))
        if known is None:
            level = 1 + max(self.levels[s] for s in sources)
            known = self._known[sources, table] = self._append(sources, table, level)
        return known

    def apply(self, function: Callable[..., object], *sources: int) -> int:
        """Return the node of a function of bits, such as ``lambda a, b: a & ~b``."""
        return self.lut(sources, table_of(function, len(sources)))

    def include(self, other: "LutGraph", inputs: Sequence[int]) -> list[int]:
        """Add the tables of another graph over ``inputs``; return where its nodes are."""
        place = [ZERO, ONE, *([ZERO] * (len(other.sources) - 2))]
        for node, here in zip(other.inputs, inputs, strict=True):
            place[node] = here
        for node, (sources, table) in enumerate(zip(other.sources, other.tables, strict=True)):
            if sources:
                place[node] = self.lut([place[s] for s in sources], table)
        return place

    def merge(self, function: Callable[..., object], *nodes: int) -> int:
        """Return the node of a function of tables, in one table over all that they read."""
        names = sorted(self.support(*nodes))
        place = {name: n for n, name in enumerate(names)}
        table = 0
        for a in range(1 << len(names)):
            bits = []
            for node in nodes:
                sources = self.sources[node]
                address = sum((a >> place[s] & 1) << n for n, s in enumerate(sources))
                bits.append(self.tables[node] >> address & 1 if sources else a >> place[node] & 1)
            table |= (int(bool(function(*bits)))) << a
        return self.lut(names, table)

    def support(self, *nodes: int) -> set[int]:
        """Return all that the tables of nodes read; an input or constant stands for itself."""
        return {s for node in nodes for s in self.sources[node] or (node,)}

    @property
    def luts(self) -> int:
        """Number of lookup tables."""
        return sum(1 for sources in self.sources if sources)

    def evaluate(self, values: NDArray[np.bool_], nodes: Sequence[int]) -> NDArray[np.bool_]:
        """Return the bits of ``nodes`` [samples, nodes] for inputs [samples, inputs]."""
        known: dict[int, NDArray[np.bool_]] = {
            ZERO: np.zeros(len(values), bool),
            ONE: np.ones(len(values), bool),
        }
        known |= {node: values[:, n] for n, node in enumerate(self.inputs)}
        for node, (sources, table) in enumerate(zip(self.sources, self.tables, strict=True)):
            if sources:
                bits = np.array([table >> a & 1 for a in range(1 << len(sources))], bool)
                address = sum(known[s].astype(np.uint8) << n for n, s in enumerate(sources))
                known[node] = bits[address]
        return np.stack([known[node] for node in nodes], axis=1)

    def reduced(self, roots: Sequence[int]) -> tuple["LutGraph", list[int]]:
        """Return an equivalent graph of the nodes that ``roots`` need, and the new roots.

        A table is absorbed where all that read it have room for its inputs.
        """
        order = self._live(roots)
        readers: dict[int, set[int]] = {node: set() for node in order}
        tables = {node: (self.sources[node], self.tables[node]) for node in order}
        for node in order:
            for source in self.sources[node]:
                readers[source].add(node)
        kept = set(roots)
        for node in order:
            sources = tables[node][0]
            if node in kept or not sources or not readers[node]:
                continue
            wide = [len({*tables[r][0], *sources} - {node}) for r in readers[node]]
            if max(wide) <= FAN_IN:
                for reader in readers[node]:
                    tables[reader] = _compose(tables[reader], node, tables[node])
                    for source in sources:
                        readers[source].add(reader)
                for source in sources:
                    readers[source].discard(node)
                del tables[node]
        return self._rebuilt(tables, roots)

    def _rebuilt(
        self, tables: dict[int, tuple[tuple[int, ...], int]], roots: Sequence[int]
    ) -> tuple["LutGraph", list[int]]:
        graph = LutGraph(self.size)
        place = {ZERO: ZERO, ONE: ONE} | {node: graph.input() for node in self.inputs}
        for node, (sources, table) in tables.items():
            if sources:
                place[node] = graph.lut([place[s] for s in sources], table)
        return graph, [place[root] for root in roots]

    def _live(self, roots: Sequence[int]) -> list[int]:
        """Return the nodes that ``roots`` depend on, sources first."""
        live = set(roots)
        for node in range(len(self.sources) - 1, -1, -1):
            if node in live:
                live |= set(self.sources[node])
        return sorted(live)

    def _append(self, sources: tuple[int, ...], table: int, level: int) -> int:
        self.sources.append(sources)
        self.tables.append(table)
        self.levels.append(level)
        return len(self.sources) - 1

    def _simplify(self, sources: Sequence[int], table: int) -> tuple[tuple[int, ...], int]:
        """Take constants, equal sources and inverters into the table; drop idle sources."""
        roots = [self._uninverted(s) for s in sources]
        if self._is_plain(roots, table):
            return tuple(node for node, _ in roots), table
        names = sorted({node for node, _ in roots if node > ONE})
        place = {node: n for n, node in enumerate(names)}
        short = 0
        for a in range(1 << len(names)):
            address = 0
            for n, (node, inverted) in enumerate(roots):
                bit = node if node <= ONE else a >> place[node] & 1
                address |= (bit ^ inverted) << n
            short |= (table >> address & 1) << a
        for n in range(len(names) - 1, -1, -1):
            low, high = _cofactors(short, len(names), n)
            if low == high:
                del names[n]
                short = low
        return tuple(names), short

    @staticmethod
    def _is_plain(roots: Sequence[tuple[int, int]], table: int) -> bool:
        """Return whether the graph is reduced: ascending nodes, no inverters, all in use."""
        size = len(roots)
        ascending = all(a[0] < b[0] for a, b in pairwise(roots))
        plain = size == 0 or (ascending and roots[0][0] > ONE)
        if not plain or any(inverted for _, inverted in roots):
            return False
        return not any(
            low == high for low, high in (_cofactors(table, size, n) for n in range(size))
        )

    def _uninverted(self, node: int) -> tuple[int, int]:
        if len(self.sources[node]) == 1:  # a table of one input that is not a wire inverts
            return self.sources[node][0], 1
        return node, 0


@cache
def _cofactors(table: int, inputs: int, place: int) -> tuple[int, int]:
    """Return the tables over the other inputs where input ``place`` is 0 and 1."""
    halves, step = [0, 0], 1 << place
    for a in range(1 << inputs):
        short = (a & step - 1) | (a >> 1 & ~(step - 1))
        halves[a >> place & 1] |= (table >> a & 1) << short
    return halves[0], halves[1]


def _compose(
    outer: tuple[tuple[int, ...], int], node: int, inner: tuple[tuple[int, ...], int]
) -> tuple[tuple[int, ...], int]:
    """Return the table of ``outer`` with its source ``node`` looked up in ``inner``."""
    names = sorted({*outer[0], *inner[0]} - {node})
    place = {name: n for n, name in enumerate(names)}
    table = 0
    for a in range(1 << len(names)):
        value = inner[1] >> sum((a >> place[s] & 1) << n for n, s in enumerate(inner[0])) & 1
        bits = (value if s == node else a >> place[s] & 1 for s in outer[0])
        table |= (outer[1] >> sum(bit << n for n, bit in enumerate(bits)) & 1) << a
    return tuple(names), table
