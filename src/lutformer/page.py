"""``report.html``: one file with every picture inside."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from .figures import Report, figures
from .model.accounting import Items, account, baseline, total
from .model.class_names import class_names
from .model.gpt import Gpt
from .model.operations import Operations
from .summary import summary
from .workspace import Workspace

__all__ = ["bars", "confusion_cells", "layers", "render"]

BAR_WIDTH = 420
CELL = 30


def render(workspace: Workspace, report: Report) -> str:
    """Return the page of ``report``, with pictures from the records of ``workspace``."""
    environment = Environment(
        loader=PackageLoader("lutformer", "."), autoescape=True, undefined=StrictUndefined
    )
    accuracy = workspace.read(workspace.accuracy)
    network = workspace.stored_network()
    confusion = accuracy.get("confusion", []) if accuracy and report.accuracy.images else []
    return environment.get_template("report.html.jinja").render(
        report=report,
        summary=summary(report),
        figures=[row for row in figures(report) if row[1] is not None],
        curve=_picture(workspace.path),
        bars=bars(report.cycles.engines or {}),
        passes=bars(report.cycles.passes or {}, ranked=False),
        cells=confusion_cells(confusion),
        classes=list(class_names(network)) if confusion else [],
        block=network.block_size if isinstance(network, Gpt) else 0,
        layers=layers(account(network), baseline(network)),
        compared=bool(baseline(network)),
        bar_width=BAR_WIDTH,
        cell=CELL,
    )


def bars(parts: dict[str, int], *, ranked: bool = True) -> list[dict[str, Any]]:
    """Return a bar for each engine or pass; the longest is :data:`BAR_WIDTH` wide.

    The busiest comes first if they are ``ranked``.
    """
    longest = max(parts.values(), default=0) or 1
    items = list(parts.items())
    if ranked:
        items.sort(key=lambda item: (-item[1], item[0]))
    return [
        {"name": name, "cycles": cycles, "width": round(BAR_WIDTH * cycles / longest, 1)}
        for name, cycles in items
    ]


def confusion_cells(confusion: list[list[int]]) -> list[dict[str, Any]]:
    """Return place, count and darkness (0 to 1, within its row) of each cell."""
    return [
        {
            "x": CELL * column,
            "y": CELL * row,
            "count": count,
            "shade": round(count / (sum(counts) or 1), 3),
            "right": row == column,
        }
        for row, counts in enumerate(confusion)
        for column, count in enumerate(counts)
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


def _picture(directory: Path) -> str | None:
    """Return the loss curve as a data address, if the network was trained here."""
    for path in (directory / "curve.png", directory / "training" / "curve.png"):
        if path.is_file():
            return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    return None
