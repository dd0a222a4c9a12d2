"""What is reached, of all that benchmarks are held to: ``python -m benchmarks [--json]``.

Reads the records of docs/results.md; measures nothing. Exit status 1: a bar is not met.
"""

import argparse
import json
import sys

from benchmarks.results.record import records
from lutformer.console import out, table


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    kept = records()
    rows = [
        {"part": part} | row
        for part, record in kept.items()
        if record.measured
        for row in record.measured.found["rows"]
    ]
    unmeasured = [part for part, record in kept.items() if record.measured is None]
    if options.json:
        print(json.dumps({"rows": rows, "without bars": unmeasured}, indent=2))
    else:
        cells = [
            (row["part"], row["name"], row["value"], _limit(row), "yes" if row["met"] else "NO")
            for row in rows
        ]
        table(("part", "bar", "value", "limit", "met"), cells)
        out.print(f"{sum(row['met'] for row in rows)} of {len(rows)} met")
        if unmeasured:
            out.print(f"Kept from before bars were recorded: {', '.join(unmeasured)}")
    sys.exit(0 if all(row["met"] for row in rows) else 1)


def _limit(row: dict[str, object]) -> str:
    if "at_least" in row:
        return f"at least {row['at_least']}"
    return f"at most {row['at_most']}"


if __name__ == "__main__":
    main()
