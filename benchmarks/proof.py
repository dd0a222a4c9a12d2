"""How long proofs take: ``python -m benchmarks.proof [--full] [--json]``.

A classifier's emitted core is proved to be its network, for every sample, at once or in slices; a
layer of tables alone to be its tables, as Verilog and as a netlist of each family, synthesis
included.
Tables and wiring are random. Quick by default: one classifier, a layer of few tables.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bars import Bar, add_full, json_text
from lutformer.boards.board import Board, board
from lutformer.console import table
from lutformer.hdl.classifier.weightless_classifier import WeightlessClassifier
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.luts.lut_layer import LutLayer
from lutformer.hdl.plan.classifier_plan import ClassifierPlan
from lutformer.model.lut_layer import LutLayer as Layer
from lutformer.sim.formal.aig import Aig
from lutformer.sim.formal.classifier_proof import ClassifierProof, sample_words
from lutformer.sim.formal.gates import Gates
from lutformer.sim.formal.lowering import mapped, netlist_gates, verilog_gates
from lutformer.sim.formal.lut_proof import check_tables
from lutformer.sim.formal.pipeline import Pipeline
from lutformer.testing.random_classifier import random_classifier

CLASSIFIERS = (((100,), 4), ((100,), 6), ((400,), 4), ((300, 100), 6))
QUICK_LUTS, LUTS, FAN_IN, INPUTS = 100, 1000, 6, 2352  # of the layer
BOARDS = ("icebreaker", "ulx3s_85f")

Row = dict[str, Any]


def classifier(luts: tuple[int, ...], fan_in: int, directory: Path) -> Row:
    """Prove the core of a classifier of 64 features and 10 classes."""
    network = random_classifier(
        luts=luts, fan_in=fan_in, features=64, thermometer_bits=3, word_bits=6, classes=10
    )
    verilog = directory / "core.v"
    verilog.write_text(emit(WeightlessClassifier(network, ClassifierPlan()), top="core"))

    def work() -> object:
        aig = Aig()
        words = sample_words(aig, network.encoder)
        pipeline = Pipeline(verilog_gates(verilog, "core", directory), aig, words)
        pipeline.check(directory)
        return ClassifierProof(aig, network, words, pipeline.outputs).check(directory)

    return measured("classifier, Verilog", sum(luts), fan_in, work)


def layer(luts: int, directory: Path) -> Iterator[Row]:
    """Prove a layer of random tables, as Verilog and as netlists of all families."""
    rng = np.random.default_rng(0)
    trained = Layer(
        inputs=INPUTS,
        mapping=rng.integers(0, INPUTS, (luts, FAN_IN)),
        tables=rng.integers(0, 2, (luts, 1 << FAN_IN)),
    )
    verilog = directory / "layer.v"
    verilog.write_text(emit(LutLayer(trained), top="layer"))

    def check(module: Row) -> object:
        gates = Gates(module, Aig())
        wrong = check_tables(trained, gates, (gates.wire("i"), gates.wire("o")), directory)
        return wrong or "equal for every input"

    def netlist(chip: Board) -> object:
        found = mapped(verilog, "layer", chip, directory, wires="io")
        return check(netlist_gates({"layer": found}, "layer", chip.family, directory))

    yield measured(
        "layer, Verilog", luts, FAN_IN, lambda: check(verilog_gates(verilog, "layer", directory))
    )
    for name in BOARDS:
        chip = board(name)
        part = f"layer, {chip.family} netlist"
        yield measured(part, luts, FAN_IN, lambda chip=chip: netlist(chip))


def measured(part: str, luts: int, fan_in: int, work: Callable[[], object]) -> Row:
    """Time a proof, which says how it was made, or returns where both sides differ."""
    start = time.monotonic()
    verdict = work()
    seconds = round(time.monotonic() - start, 1)
    facts: Row = {"part": part, "luts": luts, "fan_in": fan_in, "seconds": seconds}
    return facts | {"proved": isinstance(verdict, str), "verdict": str(verdict)}


def bars(rows: Sequence[Row]) -> list[Bar]:
    return [
        Bar(
            name=f"{row['part']}, {row['luts']:,} tables of {row['fan_in']} inputs: proved",
            value=int(row["proved"]),
            at_least=1,
        )
        for row in rows
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_full(parser, "all classifiers, a layer of 1,000 tables")
    chosen = parser.parse_args(arguments)
    shapes = CLASSIFIERS if chosen.full else CLASSIFIERS[:1]
    with tempfile.TemporaryDirectory() as name:
        rows = [classifier(*shape, Path(name)) for shape in shapes]
        rows += layer(LUTS if chosen.full else QUICK_LUTS, Path(name))
    if chosen.json:
        print(json_text(bars(rows), rows))
        return
    table(tuple(rows[0]), [tuple(row.values()) for row in rows])


if __name__ == "__main__":
    main()
