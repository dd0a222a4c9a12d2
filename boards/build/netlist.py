"""The resources of a design, from Yosys' statistics and nextpnr's report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...hdl.core.top import CORE, TOP
from ..board import Board
from .hierarchy import Hierarchy

__all__ = ["by_module", "cells", "consumers", "exceeded", "kind", "modules", "used"]

# Kind of a mapped cell, by how its name starts.
_KINDS = {
    "ice40": {
        "SB_LUT4": "lut4",
        "SB_DFF": "ff",
        "SB_CARRY": "carry",
        "SB_RAM40_4K": "ebr",
        "SB_SPRAM256KA": "spram",
        "SB_MAC16": "dsp",
    },
    "ecp5": {
        "LUT4": "lut4",
        "TRELLIS_FF": "ff",
        "CCU2C": "carry",
        "DP16KD": "ebr",
        "PDPW16KD": "ebr",
        "MULT18X18D": "dsp",
    },
}
# nextpnr's name of each resource that can run out, and the word for it.
_SITES = {
    "ice40": {
        "ICESTORM_LC": "logic cells",
        "ICESTORM_RAM": "block memories",
        "ICESTORM_SPRAM": "SPRAMs",
        "ICESTORM_DSP": "DSPs",
    },
    "ecp5": {
        "TRELLIS_COMB": "logic cells",
        "TRELLIS_FF": "flip-flops",
        "DP16KD": "block memories",
        "MULT18X18D": "DSPs",
    },
}


def cells(stat: Mapping[str, Any], board: Board) -> dict[str, int]:
    """Count the cells of the whole design by kind, from the JSON of Yosys' ``stat``."""
    return _count(stat["design"]["num_cells_by_type"], board)


def _count(by_type: Mapping[str, int], board: Board) -> dict[str, int]:
    counts = dict.fromkeys(_KINDS[board.family].values(), 0) | {"spram": 0}
    for cell, number in by_type.items():
        found = kind(cell, board)
        if found is not None:
            counts[found] += number
    return counts


def kind(cell: str, board: Board) -> str | None:
    """Return the kind of a mapped cell: ``lut4 ff carry ebr spram dsp``, or None."""
    kinds = _KINDS[board.family].items()
    return next((kind for start, kind in kinds if cell.startswith(start)), None)


def modules(stat: Mapping[str, Any], board: Board) -> dict[str, dict[str, int]]:
    """Return the cells by kind of each module of the design, less its own submodules.

    Needs the statistics of a synthesis that kept the hierarchy. Names are paths below the top or
    the core.
    """
    by_type = {name.lstrip("\\"): m["num_cells_by_type"] for name, m in stat["modules"].items()}
    return {
        _below(name): _count(cells, board)
        for name, cells in by_type.items()
        if name.startswith((TOP, CORE))
    }


def _below(name: str) -> str:
    return name.removeprefix(f"{TOP}.").removeprefix(f"{CORE}.")


def by_module(hierarchy: Hierarchy, board: Board) -> dict[str, dict[str, int]]:
    """Return the cells by kind of each module of a flattened netlist, less its own submodules."""
    types: dict[str, dict[str, int]] = {}
    for name, cell in hierarchy.mapped():
        mine = types.setdefault(hierarchy.module(name), {})
        mine[cell] = mine.get(cell, 0) + 1
    return {module: _count(types[module], board) for module in sorted(types)}


def consumers(
    modules: Mapping[str, Mapping[str, int]], word: str, count: int = 4
) -> dict[str, int]:
    """Return the modules that take most of the resource called ``word``, largest first.

    A logic cell holds a LUT4 and a flip-flop, so a module takes about the larger of both numbers.
    """
    kinds = {"block memories": ["ebr"], "SPRAMs": ["spram"], "DSPs": ["dsp"], "flip-flops": ["ff"]}
    take = {
        name: max(cells[kind] for kind in kinds.get(word, ["lut4", "ff"]))
        for name, cells in modules.items()
    }
    ranked = sorted(take.items(), key=lambda item: (-item[1], item[0]))
    return {name: number for name, number in ranked[:count] if number}


def used(report: Path, board: Board) -> dict[str, tuple[int, int]]:
    """Return (used, available) of each resource, from nextpnr's report."""
    utilization = json.loads(report.read_text())["utilization"]
    return {
        word: (utilization[site]["used"], utilization[site]["available"])
        for site, word in _SITES[board.family].items()
        if site in utilization  # small chips lack some
    }


def exceeded(usage: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Return the resources of which more is used than available."""
    return {word: (need, have) for word, (need, have) in usage.items() if need > have}
