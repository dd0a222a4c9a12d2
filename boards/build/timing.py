"""The clock that a routed design can be trusted with, and the path that limits it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from ...hdl.core.top import TOP
from ..board import Board

__all__ = ["PathPart", "Timing", "expose_dsps", "read_delays", "read_timing"]

# Upper bound of A, B -> O of an SB_MAC16 (8.6 ns measured by iCEcube, Project IceStorm's data).
DSP_NS = 10.0
# Cells of an iCE40 through which a signal passes within a cycle.
_COMBINATIONAL = ("SB_LUT4", "SB_CARRY", "SB_MAC16")
# Where Yosys begins to append its own words, in capitals, to the name of a signal; and a bit.
_MAPPED = re.compile(r"(\.\d+)*_[A-Z].*|\.?\$.*|\[\d+\]$")

Arcs = list[dict[str, Any]]
"""A path as nextpnr reports it."""


@dataclass(frozen=True)
class Timing:
    """Timing that place and route reached."""

    nextpnr_mhz: float
    """As nextpnr reports it."""
    fmax_mhz: float
    """The same, or less where nextpnr does not see a path's whole delay."""
    parts: tuple["PathPart", ...]
    """The slowest path between registers, signal by signal."""

    @property
    def path(self) -> list[str]:
        """Signals along the slowest path, each once, in order."""
        return list(dict.fromkeys(part.signal for part in self.parts if part.signal))


@dataclass(frozen=True, kw_only=True)
class PathPart:
    """A part of a path: the cells that drive a signal of the source, and the wires from there.

    Attributes
    ----------
    signal : str
        Empty where no net of the piece has a name in the source.
    logic_ns, routing_ns : float
        Delays of cells, and of wires.
    cells : int
        That the path goes through.
    """

    signal: str
    logic_ns: float
    routing_ns: float
    cells: int


def expose_dsps(netlist: Path) -> None:
    """Tie the open clock of each combinational SB_MAC16 in Yosys' ``netlist`` to zero.

    nextpnr leaves a DSP with an open clock, and the paths to and from it, out of its report.
    """
    record = json.loads(netlist.read_text())
    cells = record["modules"]["top"]["cells"].values()
    for cell in [cell for cell in cells if cell["type"] == "SB_MAC16"]:
        cell["port_directions"]["CLK"] = "input"
        if not any(isinstance(bit, int) for bit in cell["connections"].get("CLK", [])):
            cell["connections"]["CLK"] = ["0"]
    netlist.write_text(json.dumps(record))


def read_timing(report: Path, netlist: Path, board: Board) -> Timing:
    """Return the timing in nextpnr's ``report`` of Yosys' ``netlist``.

    nextpnr-ice40 takes every SB_MAC16 for a register with a delay of 0.1 ns, the purely
    combinational one too: that gets a clock of its own (see :func:`expose_dsps`), and paths through
    it are cut in two. The bound given here puts the pieces together, each at its worst.
    """
    record = json.loads(report.read_text())
    target = board.clock_hz / 1e6
    name, clock = min(
        (item for item in record["fmax"].items() if abs(item[1]["constraint"] / target - 1) < 0.01),
        key=lambda item: item[1]["achieved"],
    )
    arcs = {(p["from"], p["to"]): p["path"] for p in record["critical_paths"]}
    own = f"posedge {name}"
    ns, path = 1000 / clock["achieved"], arcs.get((own, own), [])
    if board.family == "ice40":
        cells = json.loads(netlist.read_text())["modules"]["top"]["cells"]
        ns, path = max((ns, path), _through_dsps(arcs, own, ns, cells), key=lambda found: found[0])
    return Timing(clock["achieved"], 1000 / ns, tuple(_parts(path)))


def read_delays(report: Path) -> list[float]:
    """Return the slowest path to each endpoint of a clock, in ns, as nextpnr sees it."""
    nets = json.loads(report.read_text()).get("detailed_net_timings", [])
    return [
        endpoint["delay"][1]  # the least comes first
        for net in nets
        for endpoint in net["endpoints"]
        if "<async>" not in (net["event"], endpoint["event"])
    ]


def _through_dsps(
    arcs: Mapping[tuple[str, str], Arcs], own: str, ns: float, cells: Mapping[str, Any]
) -> tuple[float, Arcs]:
    """Return an upper bound of the paths through DSPs and such a path; 0 if there are none."""
    clocked = {name for name, cell in cells.items() if _is_clocked_dsp(cell)}
    chain = _longest_dsp_chain({name: cells[name] for name in cells.keys() - clocked})
    start: Arcs = []
    between: Arcs = []
    end: Arcs = []
    for (launch, capture), path in arcs.items():
        if "<async>" in (launch, capture) or launch == capture == own:
            continue
        if launch == own:
            start = path
        elif capture == own:
            end = path
        else:
            between = path
    bound = _ns(start) + chain * DSP_NS + (chain - 1) * _ns(between) + _ns(end) if chain else 0.0
    cut = [*start, _dsp(bound - _ns(start) - _ns(end)), *end]
    if clocked:  # an input and an output register in DSPs, each believed to be at no distance
        packed = ns + 2 * DSP_NS, [*arcs.get((own, own), []), _dsp(2 * DSP_NS)]
        return max((bound, cut), packed, key=lambda found: found[0])
    return bound, cut


def _dsp(ns: float) -> dict[str, Any]:
    return {"type": "logic", "delay": ns}


def _ns(path: Arcs) -> float:
    return sum(arc["delay"] for arc in path)


def _is_clocked_dsp(cell: Mapping[str, Any]) -> bool:
    clock = cell["connections"].get("CLK", [])
    return cell["type"] == "SB_MAC16" and any(isinstance(bit, int) for bit in clock)


def _longest_dsp_chain(cells: Mapping[str, Any]) -> int:
    """Return the most SB_MAC16 that a signal passes through between two registers."""
    inner = {name: cell for name, cell in cells.items() if cell["type"] in _COMBINATIONAL}
    if not any(cell["type"] == "SB_MAC16" for cell in inner.values()):
        return 0
    driver: dict[int, str] = {}
    feeds: dict[str, list[int]] = {}
    for name, cell in inner.items():
        for port, bits in cell["connections"].items():
            wires = [bit for bit in bits if isinstance(bit, int)]
            if cell["port_directions"][port] == "output":
                driver.update(dict.fromkeys(wires, name))
            else:
                feeds.setdefault(name, []).extend(wires)
    before = {name: {driver[bit] for bit in feeds.get(name, []) if bit in driver} for name in inner}
    depth: dict[str, int] = {}
    for name in TopologicalSorter(before).static_order():
        own = inner[name]["type"] == "SB_MAC16"
        depth[name] = own + max((depth[earlier] for earlier in before[name]), default=0)
    return max(depth.values())


def _parts(path: Arcs) -> Iterator[PathPart]:
    """Yield the path, cut where the signal of the source changes."""
    signal, arcs = "", Arcs()
    for arc in path:
        name = _signal(arc)
        if name and signal and name != signal:
            yield _part(signal, arcs)
            arcs = []
        signal = name or signal
        arcs.append(arc)
    yield _part(signal, arcs)


def _part(signal: str, arcs: Arcs) -> PathPart:
    wires = [arc for arc in arcs if "net" in arc]
    cells = [arc for arc in arcs if "net" not in arc]
    return PathPart(
        signal=signal,
        logic_ns=round(_ns(cells), 3),
        routing_ns=round(_ns(wires), 3),
        cells=len(cells),
    )


def _signal(arc: Mapping[str, Any]) -> str:
    return _MAPPED.sub("", arc.get("net", "")).removeprefix(f"{TOP}.")
