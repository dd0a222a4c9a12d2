"""The same trained DWNs by both generators.

``python -m benchmarks.dwn_vs_dwn2rtl [--full] [--json]``. Quick by default: one network, one chip.

Networks of digits are trained first, or read from a folder of torch-dwn's files. Both circuits get
the same ports, words, synthesis and place and route; their synthesised netlists are simulated on
the same samples. dwn2rtl is not a dependency: without it, only ours is measured.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from math import prod
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.bars import Bar, add_full, json_text
from benchmarks.classifier_circuits import CHIPS, Bench, Design, Row, ours
from benchmarks.dwn_networks import NETWORKS, Trained, trained
from lutformer.console import notes, table
from lutformer.errors import BuildFailed

__all__ = ["compare", "main"]

QUICK_NETWORK, QUICK_CHIP = "n4_100", "HX8K"
SEEDS = 3
SAMPLES = 100
"""Of the data set, and as many random ones."""


def theirs(checkpoint: Path, layers: int, classes: int, directory: Path) -> Design:
    """Return dwn2rtl's design with its default registers."""
    command = "import sys; from dwn2rtl.cli import main; sys.exit(main())"
    arguments = ["build", str(checkpoint.absolute()), "--out", str(directory)]
    done = subprocess.run(
        [sys.executable, "-c", command, *arguments], capture_output=True, text=True
    )
    if done.returncode:
        raise BuildFailed(f"dwn2rtl failed on {checkpoint}: {done.stderr.strip()[-300:]}")
    return Design(
        generator="dwn2rtl",
        files={path.name: path.read_text() for path in sorted(directory.glob("*.v"))},
        parts={"encoder": "thermometer_encoder", "core": "dwn_core", "top": "dwn_top"},
        pins={"clk": "clk", "x_flat": "x"},
        output="class_idx",
        output_bits=(classes - 1).bit_length(),
        latency=3 + layers,  # encoder, each layer, counts, class
        mapped=False,
    )


def compare(given: Trained, chip: str, rows: int, seeds: Sequence[int], peer: bool) -> list[Row]:
    """Measure one network on one chip by both generators."""
    network = given.network
    rng = np.random.default_rng(1)
    low, high = network.encoder.lowest, network.encoder.highest
    random = rng.integers(low, high + 1, (SAMPLES, network.encoder.features))
    words = np.concatenate([given.words[:SAMPLES], random])
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        designs = [ours(network, rows, CHIPS[chip].fabric)]
        if peer:
            layers = len(network.layers)
            designs.append(theirs(given.checkpoint, layers, network.classes, directory / "build"))
        found = []
        for design in designs:
            bench = Bench(directory / design.generator, design, CHIPS[chip], network)
            found += bench.rows(given.name, chip, seeds, words)
    return found


def ratios(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return ours / theirs, best against best, by network and chip, and the geometric means."""
    tops = {(r.network, r.chip, r.generator): r for r in rows if r.part == "top" and r.best}
    found: dict[str, dict[str, float]] = {}
    for network, chip in dict.fromkeys((r.network, r.chip) for r in rows):
        a, b = (tops.get((network, chip, who)) for who in ("lutformer", "dwn2rtl"))
        if a is not None and b is not None:
            found[f"{network}, {chip}"] = {
                "lut4_equivalents": a.lut4_equivalents / b.lut4_equivalents,
                "ff": a.ff / b.ff,
                "fmax": median(a.fmax_mhz) / median(b.fmax_mhz),
                "nanoseconds": a.nanoseconds / b.nanoseconds,
            }
    if found:
        keys = next(iter(found.values()))
        found["geometric mean"] = {
            key: prod(row[key] for row in found.values()) ** (1 / len(found)) for key in keys
        }
    return {n: {k: round(v, 3) for k, v in row.items()} for n, row in found.items()}


def bars(rows: Sequence[Row]) -> list[Bar]:
    """Hold the geometric means of ours / theirs to 1; none without dwn2rtl."""
    mean = ratios(rows).get("geometric mean", {})
    return [
        Bar(name=f"{title}, geometric mean of ours / dwn2rtl's", value=mean[key], **{limit: 1.0})
        for key, title, limit in (
            ("lut4_equivalents", "LUT4", "at_most"),
            ("fmax", "fmax", "at_least"),
            ("nanoseconds", "latency", "at_most"),
        )
        if key in mean
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="One DWN by two generators.")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path("build/dwn_vs_dwn2rtl"),
        help="folder of NAME.pt; those of the recipe are trained if missing",
    )
    parser.add_argument("--networks", nargs="+", metavar="NAME")
    parser.add_argument("--chips", nargs="+", choices=CHIPS)
    parser.add_argument("--rows", type=int, default=4, help="tables in a row between registers")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    add_full(parser, "all networks, chips and seeds: an hour")
    options = parser.parse_args(arguments)
    names = options.networks or (list(NETWORKS) if options.full else [QUICK_NETWORK])
    chips = options.chips or (list(CHIPS) if options.full else [QUICK_CHIP])
    peer = importlib.util.find_spec("dwn2rtl") is not None
    if not peer:
        notes.print("dwn2rtl is not installed (pip install dwn2rtl==0.3.0): only ours is measured")
    seeds = range(1, (options.seeds or (SEEDS if options.full else 1)) + 1)
    networks = list(trained(options.checkpoints, names))
    rows = [
        row
        for network in networks
        for chip in chips
        for row in compare(network, chip, options.rows, seeds, peer)
    ]
    accuracy = {network.name: network.accuracy for network in networks}
    if options.json:
        more = {"accuracy": accuracy, "ours / theirs": ratios(rows)}
        print(json_text(bars(rows), [asdict(row) for row in rows], **more))
        return
    head = ("network", "chip", "generator", "flags", "best", "part", "LUT4", "carries", "LUT4 eq.")
    table((*head, "FF", "fmax MHz", "cycles", "ns"), [tuple(asdict(row).values()) for row in rows])
    print(*(f"{name} {percent} %" for name, percent in accuracy.items()), sep=", ")
    for name, values in ratios(rows).items():
        print(name, *(f"{key} {value:.2f}" for key, value in values.items()))


if __name__ == "__main__":
    main()
