"""The contents of a chip's memories."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ...hdl.core.top import CORE, TOP
from ..board import Board
from .hierarchy import Hierarchy
from .netlist import kind

__all__ = ["MemoryUse", "memory_map"]

_MODULE = re.compile(r"^module \\?(\S+) ?\(.*?^endmodule", re.MULTILINE | re.DOTALL)
_MEMORY = re.compile(r"^  reg \[(\d+):0\] \\?(\S+)\s+\[(\d+):0\];", re.MULTILINE)
_MEMORY_OF_BITS = re.compile(r"^  reg \\?(\S+)\s+\[(\d+):0\];", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class MemoryUse:
    """A memory of the source.

    Attributes
    ----------
    name : str
        Module and memory, as ``core.matvec.weights``.
    width, depth : int
        As the Verilog declares it.
    blocks : int or None
        Block memories that it takes; 0 if it is made of logic, None if nothing has been built.
    large : bool
        These are large single-port memories.
    taken_bits : int or None
        That the blocks have.
    """

    name: str
    width: int
    depth: int
    blocks: int | None = None
    large: bool = False
    taken_bits: int | None = None

    @property
    def bits(self) -> int:
        """Of its words."""
        return self.width * self.depth


def memory_map(
    verilog: str, board: Board | None = None, netlist: Hierarchy | None = None
) -> list[MemoryUse]:
    """Return the memories of emitted ``verilog``, and their blocks in its ``netlist``."""
    blocks = Counter(_blocks(netlist, board)) if netlist and board else None
    found = []
    for name, width, depth in _declared(verilog):
        mine = {kind: n for (memory, kind), n in (blocks or {}).items() if memory == name}
        large = "spram" in mine
        taken = None
        if blocks is not None and board is not None:
            each = {"ebr": board.budget.ebr_bits, "spram": board.budget.spram_bits}
            taken = sum(each[kind] * n for kind, n in mine.items())
        found.append(
            MemoryUse(
                name=name,
                width=width,
                depth=depth,
                blocks=None if blocks is None else sum(mine.values()),
                large=large,
                taken_bits=taken,
            )
        )
    return sorted(found, key=lambda memory: (-(memory.taken_bits or 0), -memory.bits, memory.name))


def _declared(verilog: str) -> Iterator[tuple[str, int, int]]:
    for module in _MODULE.finditer(verilog):
        for width, name, depth in _MEMORY.findall(module[0]):
            yield _name(module[1], name), int(width) + 1, int(depth) + 1
        for name, depth in _MEMORY_OF_BITS.findall(module[0]):
            yield _name(module[1], name), 1, int(depth) + 1


def _name(module: str, memory: str) -> str:
    below = re.sub(f"^{CORE}", "core", module)
    return f"{below}.{memory}".removeprefix(f"{TOP}.")


def _blocks(netlist: Hierarchy, board: Board) -> Iterator[tuple[str, str]]:
    """Yield for each memory block the name of its contents, and its kind."""
    for name, cell in netlist.mapped():
        found = kind(cell, board)
        if found in ("ebr", "spram"):
            # Yosys numbers the blocks in two directions.
            yield re.sub(r"\.\d+\.\d+$", "", name.removeprefix(f"{TOP}.")), found
