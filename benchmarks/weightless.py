"""Weightless classifiers: ``python -m benchmarks.weightless [--full] [--data-dir mnist.npz]``.

Accuracy on held-out data, every integer of the golden run against torch on all of it; the circuit
of the digits on two chips; accuracy over the inputs of a LUT; and the surrogate gradients on two
tasks. Quick by default: digits alone, one seed, a tenth of the epochs. The recipes are those of the
presets, which were chosen on validation rows (``validation_rows``).
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.bars import Bar, add_full, json_text
from benchmarks.classifier_circuits import CHIPS, Bench, ours
from lutformer.console import notes, table
from lutformer.families.equality import compare
from lutformer.hdl.classifier.weightless_classifier import WeightlessClassifier as Circuit
from lutformer.hdl.luts.fabric import FABRICS
from lutformer.hdl.plan.classifier_plan import ClassifierPlan, FabricName
from lutformer.model.config.classifier import ClassifierConfig, ClassifierRecipe
from lutformer.model.config.presets import preset
from lutformer.model.data.images import DataError
from lutformer.model.data.table import Table, load_table, validation_rows
from lutformer.model.network.weightless_classifier import WeightlessClassifier as Network
from lutformer.model.network.weightless_classifier import weightless_classifier
from lutformer.model.nn.network.weightless_classifier import WeightlessClassifier
from lutformer.model.nn.surrogate import SURROGATES
from lutformer.model.nn.training.export import export_classifier
from lutformer.model.nn.training.train import train

__all__ = ["axes", "circuits", "fan_ins", "results", "surrogates"]

FAN_INS, QUICK_FAN_INS = (2, 3, 4, 5, 6), (2, 4)
DIGITS = "dwn-digits"
PRESETS = (DIGITS, "dwn-mnist", "dwn-mnist-paper", "dwn-fashion")
TREES = {"accuracy": 97.1, "LUT4": 1041}
"""TreeLUT's boosted trees on the same digits, measured by us; percent, and with the class."""
PAPER = ("dwn-mnist-paper", 98.3)
"""What DWN's authors print for that size, in percent."""
MNIST = "LUTFORMER_MNIST"
"""Variable of the environment that may name the file of MNIST."""

LEVELS = 4
"""Tables in a row between registers."""
ROUTES = 3
"""Seeds of place and route."""
SAMPLES = 100

Row = dict[str, Any]


def chosen(name: str, *, full: bool) -> tuple[ClassifierConfig, ClassifierRecipe]:
    """Return shape and recipe of a preset, or those of a small and short stand-in."""
    found = preset(name)
    assert isinstance(found.model, ClassifierConfig)
    assert isinstance(found.train, ClassifierRecipe)
    if full:
        return found.model, found.train
    short = replace(found.train, epochs=found.train.epochs // 10)
    if found.data == "digits":
        return found.model, short
    return replace(found.model, luts=tuple(n // 10 for n in found.model.luts)), short


def tables(presets: Sequence[str], mnist: Path | None) -> Iterator[tuple[str, Table]]:
    """Yield presets and their data, as far as these are there."""
    for name in presets:
        source = preset(name).data
        try:
            yield name, load_table(mnist if source == "mnist" and mnist else source)
        except DataError as error:
            notes.print(f"Left out {name}: {error}")


def results(name: str, data: Table, *, full: bool, seeds: int) -> Row:
    """Train a preset with some seeds; compare every integer of every held-out row."""
    config, recipe = chosen(name, full=full)
    models = [_train(config, replace(recipe, seed=seed), data) for seed in range(seeds)]
    equality = [_golden(model, data) for model, _ in models]
    encoder = models[0][0].encoder
    return {
        "network": name,
        "inputs": config.fan_in,
        "LUTs": "+".join(map(str, config.luts)),
        "epochs": recipe.epochs,
        "word": f"{encoder.bits} bits",
        "accuracy": _percent([score for _, score in models]),
        "seeds": [round(100 * score, 2) for _, score in models],
        "rows": len(data.test_labels),
        "integers": sum(compared for compared, _ in equality),
        "mismatches": sum(wrong for _, wrong in equality),
    }


def circuits(name: str, data: Table, *, full: bool) -> list[Row]:
    """Synthesise and route a preset's first network on each chip; its netlists give its classes."""
    config, recipe = chosen(name, full=full)
    model, accuracy = _train(config, recipe, data)
    network = export_classifier(model)
    words = network.encoder.words(data.test_rows)[:SAMPLES]
    rows = []
    for title, chip in list(CHIPS.items())[: None if full else 1]:
        with tempfile.TemporaryDirectory() as folder:
            design = ours(network, LEVELS, chip.fabric)
            bench = Bench(Path(folder) / name, design, chip, network)
            measured = bench.rows(name, title, range(1, (ROUTES if full else 1) + 1), words)
        rows += [
            {
                "network": name,
                "chip": title,
                "part": row.part,
                "LUT4": row.lut4_equivalents,
                "FF": row.ff,
                "MHz": row.fmax_mhz,
                "cycles": row.cycles,
                "ns": row.nanoseconds,
                "accuracy": _percent([accuracy]),
            }
            for row in measured
        ]
    return rows


def fan_ins(name: str, data: Table, *, full: bool, seeds: int) -> list[Row]:
    """Train with LUTs of 2 to 6 inputs, all else alike; held-out accuracy, cells of the first."""
    config, recipe = chosen(name, full=full)
    rows = []
    for n in FAN_INS if full else QUICK_FAN_INS:
        shape = replace(config, fan_in=n)
        runs = [_train(shape, replace(recipe, seed=seed), data) for seed in range(seeds)]
        network = export_classifier(runs[0][0])
        cells = {f"LUT4, {title}": _cells(network, chip.fabric) for title, chip in CHIPS.items()}
        accuracy = _percent([score for _, score in runs])
        rows.append({"network": name, "inputs": n, "accuracy": accuracy} | cells)
    return rows


def _cells(network: Network, fabric: FabricName) -> int:
    """Return the LUT4 of the mapped circuit, class included."""
    circuit = Circuit(network, ClassifierPlan(rows=LEVELS, fabric=fabric))
    widths = FABRICS[fabric].widths
    return sum(widths[len(sources)] for sources in circuit.graph.sources if sources)


def surrogates(name: str, data: Table, *, full: bool, seeds: int) -> list[Row]:
    """Train with every surrogate gradient, all else alike; accuracy on validation rows."""
    config, recipe = chosen(name, full=full)
    rows = validation_rows(data)
    return [
        {
            "network": name,
            "surrogate": surrogate,
            "accuracy": _mean(replace(config, surrogate=surrogate), recipe, rows, seeds),
        }
        for surrogate in SURROGATES
    ]


def _mean(config: ClassifierConfig, recipe: ClassifierRecipe, data: Table, seeds: int) -> float:
    return _percent(_train(config, replace(recipe, seed=n), data)[1] for n in range(seeds))


def _percent(scores: Any) -> float:
    return round(100 * fmean(scores), 2)


def _train(
    config: ClassifierConfig, recipe: ClassifierRecipe, data: Table
) -> tuple[WeightlessClassifier, float]:
    shape = replace(config, features=data.features, classes=len(data.class_names))
    result = train(shape, recipe, data)
    assert isinstance(result.model, WeightlessClassifier)
    return result.model, result.test_accuracy


def _golden(model: WeightlessClassifier, data: Table) -> tuple[int, int]:
    """Return how many integers were compared, and how many differ."""
    network = export_classifier(model)

    def integers(words: NDArray[Any]) -> dict[str, NDArray[np.integer]]:
        return {k: v.numpy() for k, v in model.integers(torch.from_numpy(words)).items()}

    words = network.encoder.words(data.test_rows)
    found = compare(integers, partial(weightless_classifier, network), words)
    return found.integers, found.mismatches


def axes(mnist: Path | None, *, full: bool, seeds: int) -> dict[str, list[Row]]:
    """Return all tables by name."""
    data = dict(tables(PRESETS if full else PRESETS[:1], mnist))
    runs = {name: seeds if name == DIGITS else 1 for name in data}
    ablated = [name for name in (DIGITS, "dwn-fashion") if name in data]
    return {
        "results": [results(n, d, full=full, seeds=runs[n]) for n, d in data.items()],
        "circuits": circuits(DIGITS, data[DIGITS], full=full),
        "inputs of a LUT": fan_ins(DIGITS, data[DIGITS], full=full, seeds=seeds),
        "surrogates": [
            row
            for name in ablated
            for row in surrogates(name, data[name], full=full and name == DIGITS, seeds=runs[name])
        ],
    }


def bars(found: dict[str, list[Row]], *, full: bool) -> list[Bar]:
    """Hold golden runs to torch, and what is trained in full to what others reach."""
    wrong = [
        Bar(name=f"{row['network']}: golden != torch", value=row["mismatches"], at_most=0)
        for row in found["results"]
    ]
    if not full:
        return wrong
    least = {DIGITS: TREES["accuracy"], PAPER[0]: PAPER[1]}
    return [
        *wrong,
        *(
            Bar(name=f"{name}: accuracy, %", value=row["accuracy"], at_least=least[name])
            for row in found["results"]
            if (name := row["network"]) in least
        ),
        *(
            Bar(name=f"{DIGITS}, {row['chip']}: LUT4", value=row["LUT4"], at_most=TREES["LUT4"])
            for row in found["circuits"]
            if row["part"] == "top"
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_full(parser, "networks and recipes of all presets: hours")
    parser.add_argument("--data-dir", type=Path, help=f"file of MNIST (else ${MNIST})")
    parser.add_argument("--seeds", type=int, help="of the digits")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    named = os.environ.get(MNIST)
    mnist = options.data_dir or (Path(named) if named else None)
    found = axes(mnist, full=options.full, seeds=options.seeds or (3 if options.full else 1))
    if options.json:
        print(json_text(bars(found, full=options.full), found))
        return
    for title, rows in found.items():
        table(tuple(rows[0]), [tuple(row.values()) for row in rows], title=title)


if __name__ == "__main__":
    main()
