"""Toggles of the nets of a core, from Verilator's SAIF file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..hdl.core.top import CORE
from .core_bench import PERIOD_NS

__all__ = ["Activity", "ModuleActivity", "read_activity"]

_LINE = re.compile(
    r"\(INSTANCE (?P<instance>.+)$|\(DURATION (?P<duration>\d+)\)|\(TIMESCALE (?P<scale>.+)\)"
    r"|\((?P<net>\S+) \(T0 .*\(TC (?P<toggles>\d+)\)\)|(?P<end>^\s*\)$)|(?P<nets>\(NET$)"
)
_PER_NS = {"1ns": 1, "100ps": 10, "10ps": 100, "1ps": 1000}


@dataclass(frozen=True, kw_only=True)
class ModuleActivity:
    """Nets of a module, bit by bit, and all their changes."""

    nets: int
    toggles: int


@dataclass(frozen=True, kw_only=True)
class Activity:
    """A whole simulation.

    Attributes
    ----------
    cycles : int
        That it took.
    modules : dict of str to ModuleActivity
        By path, such as ``core.matvec``, each less its own submodules. A net that passes through
        several counts in each; clock and reset count in none.
    """

    cycles: int
    modules: dict[str, ModuleActivity]


def read_activity(saif: Path) -> Activity:
    """Return the switching activity of the core in a simulation."""
    nets: dict[str, list[int]] = {}
    duration = per_ns = 0
    path: list[str] = []
    for match in _lines(saif):
        if match["duration"]:
            duration = int(match["duration"])
        elif match["scale"]:
            per_ns = _PER_NS[match["scale"].replace(" ", "")]
        elif match["instance"]:
            path.append(match["instance"])
        elif match["nets"]:
            path.append("")
        elif match["end"] and path:
            path.pop()
        elif match["net"] and match["net"] not in ("clk", "rst"):
            module = _module(path)
            if module is not None:
                nets.setdefault(module, []).append(int(match["toggles"]))
    return Activity(
        cycles=round(duration / per_ns / PERIOD_NS),
        modules={
            name: ModuleActivity(nets=len(counts), toggles=sum(counts))
            for name, counts in sorted(nets.items())
        },
    )


def _lines(saif: Path) -> Iterator[re.Match[str]]:
    with saif.open() as lines:
        for line in lines:
            match = _LINE.search(line)
            if match is not None:
                yield match


def _module(path: list[str]) -> str | None:
    """Return the module below the core, if it is one."""
    instances = [part for part in path if part]
    for start, name in enumerate(instances):
        if name in ("core", CORE):
            return ".".join(["core", *instances[start + 1 :]])
    return None
