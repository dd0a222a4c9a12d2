"""The records of a build, as figures of a report."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from ..boards.build.bitstream import PLACES
from ..boards.build.floorplan import Cell, floorplan
from ..boards.build.hierarchy import Hierarchy
from ..boards.build.memory_map import memory_map
from ..boards.build.netlist import by_module
from ..boards.build.placement import read_places
from ..boards.build.timing import read_delays, read_timing
from ..workspace import Workspace
from .figures import Memories

__all__ = ["BIN_NS", "memories", "module_cells", "placed_cells", "timing_figures"]

BIN_NS = 2
"""Width of a class of delays."""


def module_cells(workspace: Workspace) -> dict[str, dict[str, int]]:
    """Return the cells of each module, by kind, without those that are not there."""
    chip = workspace.board()
    cells = by_module(Hierarchy(workspace.path / chip.name / "top.json"), chip)
    return {name: {k: n for k, n in kinds.items() if n} for name, kinds in cells.items()}


def timing_figures(workspace: Workspace) -> dict[str, Any]:
    """Return the slowest path, and the number of endpoints by delay."""
    chip = workspace.board()
    folder = workspace.path / chip.name
    timing = read_timing(folder / "report.json", folder / "top.json", chip)
    bins = Counter(int(ns // BIN_NS) for ns in read_delays(folder / "report.json"))
    delays = {str(BIN_NS * n): bins[n] for n in range(max(bins) + 1)} if bins else None
    return {"path": [asdict(part) for part in timing.parts], "delays": delays}


def memories(workspace: Workspace, *, built: bool) -> Memories:
    """Return the memories of the Verilog, and the blocks that they take if it was built."""
    verilog = workspace.require_verilog().read_text()
    if built:
        chip = workspace.board()
        netlist = Hierarchy(workspace.path / chip.name / "top.json")
        found = memory_map(verilog, chip, netlist)
    else:
        found = memory_map(verilog)
    taken = [memory.taken_bits for memory in found if memory.taken_bits]
    in_blocks = [memory.bits for memory in found if memory.taken_bits]
    return Memories(
        map=[asdict(memory) for memory in found],
        bits=sum(memory.bits for memory in found),
        in_blocks=sum(in_blocks) if built else None,
        taken=sum(taken) if built else None,
    )


def placed_cells(workspace: Workspace) -> list[Cell]:
    """Return the placed cells of the routed design."""
    folder = workspace.path / workspace.board().name
    return list(floorplan(read_places(folder / PLACES), Hierarchy(folder / "top.json")))
