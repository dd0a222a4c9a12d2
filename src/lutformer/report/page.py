"""``report.html``: one file with every picture inside."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..boards.build.hierarchy import engine
from ..families import family_of
from ..model.costs.accounting import Items, account, baseline, total
from ..model.costs.operations import Operations
from ..model.network.stored_network import StoredNetwork
from ..workspace import Workspace
from .figures import Report, figures
from .hardware_figures import BIN_NS, placed_cells
from .pictures.bars import bars
from .pictures.beside import beside
from .pictures.colours import colour
from .pictures.confusion import confusion
from .pictures.critical_path import critical_path
from .pictures.curve import curve, read_curve
from .pictures.floorplan import floorplan
from .pictures.gantt import gantt
from .pictures.histogram import histogram
from .summary import summary

__all__ = ["Row", "engine_rows", "layers", "render", "tree"]

KINDS = ("lut4", "ff", "carry", "ebr", "spram", "dsp")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table: a name, its depth in a tree, figures, and a share of the whole."""

    name: str
    depth: int = 0
    cells: tuple[str, ...]
    share: float
    colour: str


def render(workspace: Workspace, report: Report) -> str:
    """Return the page of ``report``, with pictures from the records of ``workspace``."""
    environment = Environment(
        loader=PackageLoader("lutformer.report", ""), autoescape=True, undefined=StrictUndefined
    )
    network = workspace.stored_network()
    family = family_of(network)
    return environment.get_template("report.html.jinja").render(
        report=report,
        directory=str(workspace.path),
        core=workspace.verilog == workspace.core,
        summary=summary(report),
        figures=[row for row in figures(report) if row[1] is not None],
        pictures=_pictures(workspace, network, report),
        engines=engine_rows(report),
        kinds=KINDS,
        modules=tree(report.resources.modules or {}),
        memories=_memories(report),
        activity=_activity(report),
        origin=json.dumps(json.loads(network.origin), indent=2),
        block=family.inferences(network) if family.text else 0,
        program=family.program,
        unit=family.inference,
        layers=layers(account(network), baseline(network)),
        compared=bool(baseline(network)),
    )


def _pictures(
    workspace: Workspace, network: StoredNetwork, report: Report
) -> dict[str, Markup | None]:
    """Return the pictures by name; None without data."""
    cycles, timing = report.cycles, report.timing
    placed = placed_cells(workspace) if report.resources.modules else []
    least = dict(sorted((cycles.engines or {}).items(), key=lambda item: (-item[1], item[0])))
    return {
        "curve": _curve(workspace),
        "confusion": _confusion(workspace, network, report),
        "gantt": gantt(report.profile) if report.profile else None,
        "least": bars(least, "Least cycles by engine", by_engine=True) if least else None,
        "passes": bars(cycles.passes, "Least cycles by pass") if cycles.passes else None,
        "floorplan": floorplan(placed) if placed else None,
        "delays": histogram(timing.delays, BIN_NS, 1000 / timing.clock_mhz)
        if timing.delays and timing.clock_mhz
        else None,
        "path": critical_path([tuple(part.values()) for part in timing.path])  # type: ignore[misc]
        if timing.path
        else None,
        "beside": _beside(report),
    }


def _curve(workspace: Workspace) -> Markup | None:
    """Return the loss curve, if the network was trained here."""
    for folder in (workspace.path, workspace.path / "training"):
        if (folder / "curve.csv").is_file():
            columns = read_curve(folder / "curve.csv")
            return curve(columns) if columns else None
    return None


def _confusion(workspace: Workspace, network: StoredNetwork, report: Report) -> Markup | None:
    accuracy = workspace.read(workspace.accuracy)
    counts = accuracy.get("confusion") if accuracy and report.accuracy.images else None
    return confusion(counts, family_of(network).class_names(network)) if counts else None


def _beside(report: Report) -> Markup | None:
    """Return the operations of both networks, if there is a baseline."""
    ours, theirs = report.operations, report.baseline
    words = {
        "multiplications": "multiplications",
        "additions": "additions",
        "bit_operations": "bit operations",
        "lookups": "lookups",
        "memory_bits": "memory, bits",
        "energy_pj": "energy, pJ (estimated)",
    }
    amounts = {
        word: (round(getattr(ours, key) or 0), round(getattr(theirs, key) or 0))
        for key, word in words.items()
    }
    known = theirs.multiplications is not None
    return beside(amounts, "Operations beside the int8 baseline") if known else None


def engine_rows(report: Report) -> list[Row]:
    """Return of each engine the cycles that it worked, and the least that it needs."""
    cycles = report.cycles
    busy, whole = cycles.busy or {}, cycles.program or 1
    least = cycles.engines or {}
    names = [*busy, *(name for name in least if name not in busy)] if busy else []
    return [
        Row(
            name=name,
            cells=(
                f"{busy.get(name, 0):,}",
                f"{busy.get(name, 0) / whole:.1%}",
                f"{least[name]:,}" if name in least else "",
                f"{least[name] / whole:.1%}" if name in least else "",
            ),
            share=busy.get(name, 0) / whole,
            colour=colour(name),
        )
        for name in names
    ]


def tree(modules: Mapping[str, Mapping[str, int]]) -> list[Row]:
    """Return a row for each module, its submodules counted in and below it."""
    names = sorted(
        {".".join(n.split(".")[: k + 1]) for n in modules for k in range(n.count(".") + 1)}
    )
    whole = sum(kinds.get("lut4", 0) for kinds in modules.values()) or 1
    rows = []
    for name in names:
        inside = [kinds for n, kinds in modules.items() if n == name or n.startswith(f"{name}.")]
        counts = {kind: sum(kinds.get(kind, 0) for kinds in inside) for kind in KINDS}
        rows.append(
            Row(
                name=name.rpartition(".")[2],
                depth=name.count("."),
                cells=tuple(f"{counts[kind]:,}" if counts[kind] else "" for kind in KINDS),
                share=counts["lut4"] / whole,
                colour=colour(engine(name)),
            )
        )
    return rows


def _memories(report: Report) -> list[Row]:
    rows = []
    for memory in report.memories.map or []:
        bits, taken, blocks = (
            memory["width"] * memory["depth"],
            memory["taken_bits"],
            memory["blocks"],
        )
        kind = "" if blocks is None else "logic" if not blocks else f"{blocks} EBR"
        rows.append(
            Row(
                name=memory["name"],
                cells=(
                    f"{memory['width']} x {memory['depth']:,}",
                    f"{bits:,}",
                    f"{blocks} SPRAM" if memory["large"] else kind,
                    f"{taken:,}" if taken else "",
                    f"{bits / taken:.0%}" if taken else "",
                ),
                share=min(bits / taken, 1) if taken else 0,
                colour=colour(engine(memory["name"])),
            )
        )
    return rows


def _activity(report: Report) -> list[Row]:
    """Return the modules that change most, all others together."""
    modules, toggles = report.activity.modules or {}, report.activity.toggles or 1
    ranked = sorted(modules.items(), key=lambda item: -item[1]["toggles"])
    return [
        Row(
            name=name,
            cells=(
                f"{counts['nets']:,}",
                f"{counts['toggles']:,}",
                f"{counts['toggles'] / toggles:.1%}",
            ),
            share=counts["toggles"] / toggles,
            colour=colour(engine(name)),
        )
        for name, counts in ranked
    ]


def layers(ours: Items, theirs: Items) -> list[dict[str, Any]]:
    """Return a row for each layer of either network, with the cells of both, and their totals.

    Cells are empty where a network has no such layer, and left out if there is no second network.
    Layers of the second alone follow those of the first that belong to the same part.
    """
    names = list(ours)
    for name in theirs:
        if name not in ours:
            part = name.rpartition(".")[0]
            alike = [n for n, other in enumerate(names) if other.startswith(f"{part}.")]
            names.insert(alike[-1] + 1 if alike else len(names), name)
    both = [items | {"total": total(items)} for items in (ours, theirs) if items]
    return [
        {"name": name, "cells": [_cells(items.get(name)) for items in both]}
        for name in [*names, "total"]
    ]


def _cells(o: Operations | None) -> list[str]:
    if o is None:
        return [""] * 5
    numbers = (o.multiplications, o.additions, o.bits, o.memory_bits, round(o.energy_pj))
    return [f"{number:,}" for number in numbers]
