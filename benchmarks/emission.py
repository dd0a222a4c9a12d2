"""How long Verilog takes to be emitted: ``python -m benchmarks.emission [--full] [--json]``.

Weightless classifiers of two layers with random tables and wiring, as `lutformer generate --core`
emits them: 784 features of 3 thresholds each, 10 classes. Seconds of the process's CPU, those of
Yosys included, and of the clock. Quick by default: a tenth of the tables.
"""

import argparse
import os
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.bars import Bar, add_full, json_text
from lutformer.console import table
from lutformer.hdl.classifier.weightless_classifier import WeightlessClassifier
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.plan.classifier_plan import ClassifierPlan
from lutformer.testing.random_classifier import random_classifier

QUICK, FULL = 1_000, 10_000
"""Tables."""
SECONDS = 20.0
"""Of CPU, that :data:`FULL` tables may take."""


def measured(luts: int, fan_in: int) -> dict[str, Any]:
    network = random_classifier(
        luts=(luts // 2, luts // 2),
        fan_in=fan_in,
        features=784,
        thermometer_bits=3,
        word_bits=8,
        classes=10,
    )
    start, cpu = time.monotonic(), _cpu()
    component = WeightlessClassifier(network, ClassifierPlan())
    graph = _cpu() - cpu
    text = emit(component, top="lutformer_core")
    return {
        "luts": luts,
        "fan_in": fan_in,
        "lut4": component.graph.luts,
        "megabytes": round(len(text) / 1e6, 1),
        "graph_s": round(graph, 1),
        "cpu_s": round(_cpu() - cpu, 1),
        "clock_s": round(time.monotonic() - start, 1),
    }


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def bars(rows: Sequence[dict[str, Any]]) -> list[Bar]:
    return [
        Bar(
            name=f"{row['luts']:,} tables of {row['fan_in']} inputs, seconds of CPU",
            value=row["cpu_s"],
            at_most=SECONDS,
        )
        for row in rows
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--luts", type=int, nargs="+", help=f"instead of {QUICK}")
    parser.add_argument("--fan-in", type=int, nargs="+", default=[4, 6])
    add_full(parser, f"{FULL:,} tables")
    chosen = parser.parse_args(arguments)
    tables = chosen.luts or [FULL if chosen.full else QUICK]
    rows = [measured(luts, fan_in) for luts in tables for fan_in in chosen.fan_in]
    if chosen.json:
        print(json_text(bars(rows), rows))
        return
    table(tuple(rows[0]), [tuple(row.values()) for row in rows])


if __name__ == "__main__":
    main()
