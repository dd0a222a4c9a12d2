"""Which module of the source each cell of a flattened netlist belongs to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...hdl.core.top import TOP

__all__ = ["OUTSIDE", "Hierarchy", "engine"]

OUTSIDE = "board"
"""What is outside of the emitted Verilog: pads, clock, reset."""
INSIDE = ("core", "decoder")
"""Modules whose parts are the engines."""


class Hierarchy:
    """The modules of a netlist, as ``core.matvec.requantize``; ``core`` is below the board top.

    A cell belongs to the module of the net that it is named after: the one that it drives, or the
    nearest one with a name in the source.

    Parameters
    ----------
    netlist : Path
        The flattened one that Yosys has written.
    """

    def __init__(self, netlist: Path) -> None:
        self.cells: dict[str, Any] = json.loads(netlist.read_text())["modules"]["top"]["cells"]
        scopes = (n for n, cell in self.cells.items() if cell["type"] == "$scopeinfo")
        self.modules = {scope for scope in scopes if scope.split(".")[0] == TOP}

    def module(self, cell: str) -> str:
        """Return the module of a cell, or of a net, by its name."""
        parts = cell.split(".")
        while parts and ".".join(parts) not in self.modules:
            parts.pop()
        return ".".join(parts[1:]) or ("link" if parts else OUTSIDE)

    def mapped(self) -> Iterator[tuple[str, str]]:
        """Yield name and type of each cell of the chip."""
        for name, cell in self.cells.items():
            if cell["type"] != "$scopeinfo":
                yield name, cell["type"]


def engine(module: str) -> str:
    """Return the engine that a module is a part of; the serial link and the board count as one."""
    parts = module.split(".")
    if parts[0] != "core":
        return OUTSIDE if parts[0] == OUTSIDE else "link"
    while parts[1:] and parts[0] in INSIDE:
        parts.pop(0)
    return parts[0] if parts[0] not in INSIDE else "control"
