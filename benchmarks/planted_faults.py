"""Faults planted in the project: ``python -m benchmarks.planted_faults [--full] [--json]``.

Each of ``tests/test_mutations.py``, alone in a copy of the project, has to make a test fail. What
was run is kept for the commit at hand, so that the command can be stopped and started. Quick by
default: the faults that ``make test`` plants. Exit status 1: a fault was not caught.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.bars import Bar, add_full, json_text
from benchmarks.results.origin import commit
from lutformer.console import notes, table
from lutformer.model.storage.files import write_whole
from tests.test_mutations import MUTATIONS, QUICK, is_caught, run_with

__all__ = ["main"]


def measured(name: str, folder: Path) -> dict[str, Any]:
    """Plant one fault, or read what became of it before."""
    mutation = MUTATIONS[name]
    record = folder / f"{hashlib.sha256(repr(mutation).encode()).hexdigest()[:16]}.json"
    if record.is_file():
        return json.loads(record.read_text())
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as copy:
        caught = is_caught(run_with(mutation, Path(copy)))
    row = {
        "fault": name,
        "file": mutation.file,
        "test": mutation.test,
        "caught": caught,
        "seconds": round(time.monotonic() - start, 1),
    }
    write_whole(record, json.dumps(row, indent=2).encode())
    return row


def bars(rows: Sequence[dict[str, Any]]) -> list[Bar]:
    caught = sum(row["caught"] for row in rows)
    return [Bar(name="planted faults that are caught", value=caught, at_least=len(rows))]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_full(parser, f"all {len(MUTATIONS)} faults: an hour or two")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("-o", type=Path, default=Path("build/planted_faults"), help="records")
    options = parser.parse_args(arguments)
    rows = []
    for name in MUTATIONS if options.full else QUICK:
        rows.append(measured(name, options.o / commit()))
        verdict = "caught" if rows[-1]["caught"] else "NOT CAUGHT"
        notes.print(f"{name}: {verdict} ({rows[-1]['seconds']} s)", markup=False)
    if options.json:
        print(json_text(bars(rows), rows))
    else:
        table(tuple(rows[0]), [tuple(row.values()) for row in rows])
        print(f"{sum(row['caught'] for row in rows)} of {len(rows)} caught")
    sys.exit(0 if all(row["caught"] for row in rows) else 1)


if __name__ == "__main__":
    main()
