"""Records of what was measured, from which docs/results.md is written: one file a part.

A record holds the JSON of a benchmark, and tables that no benchmark has measured in this form, cell
by cell; either with its origin.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.results.origin import ROOT
from lutformer.model.storage.files import write_whole

__all__ = ["RECORDS", "Kept", "Measured", "Origin", "Record", "Table", "read", "records"]

RECORDS = ROOT / "benchmarks" / "records"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where figures come from."""

    command: str
    date: str
    """ISO 8601, of the day."""
    commit: str

    @property
    def sentence(self) -> str:
        """What the page says under a table that a benchmark's JSON made."""
        return f"Measured at `{self.commit}`, {self.date}: `{self.command}`"

    @property
    def kept_sentence(self) -> str:
        """What it says under one that is kept cell by cell."""
        return f"Kept as entered by hand at `{self.commit}`, {self.date}: `{self.command}`"


@dataclass(frozen=True)
class Table:
    """Cells as they are on the page."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def markdown(self) -> str:
        """The table in Markdown."""
        lines = [self.head, ("---",) * len(self.head), *self.rows]
        return "\n".join(_line(cells) for cells in lines)


def _line(cells: tuple[str, ...]) -> str:
    if all(cell == "---" for cell in cells):
        return "|" + "---|" * len(cells)
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a benchmark printed with ``--full --json``."""

    origin: Origin
    found: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A table of another origin than a benchmark's JSON, cell by cell."""

    origin: Origin
    table: Table


@dataclass(frozen=True, kw_only=True)
class Record:
    """One part of the page: what was measured, and tables by name that are kept beside it."""

    measured: Measured | None = None
    tables: Mapping[str, Kept] = field(default_factory=dict)

    def write(self, part: str) -> None:
        """Keep the record of a part."""
        whole: dict[str, Any] = {}
        if self.measured is not None:
            whole = {"origin": vars(self.measured.origin), "found": self.measured.found}
        if self.tables:
            whole["tables"] = {
                name: {"origin": vars(kept.origin), **vars(kept.table)}
                for name, kept in self.tables.items()
            }
        text = json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
        write_whole(RECORDS / f"{part}.json", text.encode())


def read(part: str) -> Record | None:
    """Return the record of a part, if there is one."""
    path = RECORDS / f"{part}.json"
    if not path.is_file():
        return None
    whole = json.loads(path.read_text())
    measured = None
    if "found" in whole:
        measured = Measured(origin=Origin(**whole["origin"]), found=whole["found"])
    tables = {
        name: Kept(
            origin=Origin(**kept["origin"]),
            table=Table(tuple(kept["head"]), tuple(map(tuple, kept["rows"]))),
        )
        for name, kept in whole.get("tables", {}).items()
    }
    return Record(measured=measured, tables=tables)


def records() -> dict[str, Record]:
    """Return all records by their parts."""
    found = ((path.stem, read(path.stem)) for path in sorted(RECORDS.glob("*.json")))
    return {part: record for part, record in found if record is not None}
