"""The tables of docs/results.md, from records: ``python -m benchmarks.results [PART ...]``.

Without a part the page is written anew from the records, at once. The parts that are named, or all
with ``--all``, are measured first, in full: some take hours. A part's record is kept as soon as it
is measured, and one that was measured at the commit at hand is not measured again, so that the
command can be stopped and started (``--again`` measures all the same).
"""

import argparse
import datetime
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.results.layouts import LAYOUTS
from benchmarks.results.origin import ROOT, commit
from benchmarks.results.record import Measured, Origin, Record, read, records
from lutformer.console import notes
from lutformer.errors import BuildFailed, UsageError
from lutformer.model.storage.files import write_whole

__all__ = ["PAGE", "PARTS", "main", "written"]

PAGE = ROOT / "docs" / "results.md"
MARKED = re.compile(r"(<!-- results: ([\w-]+)/([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""Part and table."""

PARTS: dict[str, tuple[str, ...]] = {
    "lut_layer": (),
    "emission": (),
    "proof": (),
    "link_noise": (),
    "complexity": (),
    "engines": (),
    "popcount": (),
    "planted_faults": (),
    "boards": (),
    "estimators": (),
    "dwn_vs_dwn2rtl": (),
    "mlp": ("--frames", "0", "--task", "fashion-mnist", "--only", "GELU", "dense, n=4"),
    "attention": (),
    "weightless": (),
    "nanogpt": ("--seeds", "2"),
}
"""Benchmarks, the quick ones first, and their options beside ``--full --json``."""


def measure(part: str, *, again: bool = False) -> None:
    """Run a benchmark in full and keep its record.

    Raises
    ------
    BuildFailed
        If it ends with an error.
    """
    arguments = [f"benchmarks.{part}", "--full", *PARTS[part], "--json"]
    kept, here = read(part), commit()
    if kept is not None and kept.measured and kept.measured.origin.commit == here and not again:
        notes.print(f"{part}: measured at {here} before")
        return
    notes.print(f"{part}: measuring")
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode and not done.stdout:
        raise BuildFailed(f"benchmarks.{part} ended with {done.returncode}")
    shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    origin = Origin(command=f"python -m {shown}", date=today, commit=here)
    tables = {} if kept is None else kept.tables
    left = {name: table for name, table in tables.items() if name not in LAYOUTS}
    Record(measured=Measured(origin=origin, found=json.loads(done.stdout)), tables=left).write(part)


def written(text: str, kept: Mapping[str, Record]) -> str:
    """Return the page with every marked table laid out from its part's record.

    Raises
    ------
    UsageError
        If there is no record of a table.
    """

    def table(match: re.Match[str]) -> str:
        begin, part, name, end = match.groups()
        if part not in kept:
            raise UsageError(f"There is no record of {part!r}: python -m benchmarks.results {part}")
        record = kept[part]
        if name in record.tables:
            kept_table = record.tables[name]
            laid, line = kept_table.table, kept_table.origin.kept_sentence
        elif record.measured is not None and name in LAYOUTS:
            laid, line = LAYOUTS[name](record.measured.found), record.measured.origin.sentence
        else:
            raise UsageError(f"The record of {part!r} has no table {name!r}")
        return f"{begin}\n{laid.markdown}\n\n{line}\n\n{end}"

    return MARKED.sub(table, text)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.results", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--all", action="store_true", help="measure all parts")
    parser.add_argument("--again", action="store_true", help="measure what this commit has, too")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}")
    for part in PARTS if options.all else options.parts:
        measure(part, again=options.again)
        write_whole(options.page, written(options.page.read_text(), records()).encode())
    write_whole(options.page, written(options.page.read_text(), records()).encode())


if __name__ == "__main__":
    main()
