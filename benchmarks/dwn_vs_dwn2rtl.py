"""The same trained DWNs by both generators.

``python -m benchmarks.dwn_vs_dwn2rtl``

Networks of digits are trained first, or read from a folder of torch-dwn's files. Both circuits get
the same ports, words, synthesis and place and route; their synthesised netlists are simulated on
the same samples. dwn2rtl is not a dependency: without it, only ours is measured.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Cat, ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from benchmarks import dwn_vectors
from benchmarks.dwn_networks import NETWORKS, Trained, trained
from benchmarks.dwn_vectors import Vectors
from lutformer.boards import tools
from lutformer.boards.cell_models import cell_models
from lutformer.console import notes, table
from lutformer.errors import BuildFailed
from lutformer.hdl.classifier_graph import classify
from lutformer.hdl.classifier_plan import ClassifierPlan, FabricName
from lutformer.hdl.fabric import FABRICS, Fabric
from lutformer.hdl.feature_encoder import encode
from lutformer.hdl.lut_circuit import connect_graph
from lutformer.hdl.lut_graph import LutGraph
from lutformer.hdl.lut_schedule import schedule
from lutformer.hdl.verilog import emit
from lutformer.hdl.weightless_classifier import WeightlessClassifier
from lutformer.model.lut_pruning import prune
from lutformer.model.weightless_classifier import WeightlessClassifier as Network
from lutformer.model.weightless_classifier import weightless_classifier
from lutformer.sim.classifier import pack
from lutformer.sim.runner import simulate_verilog

__all__ = ["CHIPS", "Row", "compare", "main"]

TARGET_MHZ = 250
"""What nextpnr is asked for: more than any row reaches, so that none stops short of its best."""
SAMPLES = 100
"""Of the data set, and as many random ones."""


@dataclass(frozen=True)
class Chip:
    """A chip, how Yosys maps to it, and the cells that we map to."""

    family: str
    nextpnr: tuple[str, ...]
    flags: tuple[str, ...]
    """Options of Yosys to choose the best of for a generator; the first one is its default."""
    fabric: FabricName


CHIPS = {
    "HX8K": Chip(
        "ice40",
        ("--hx8k", "--package", "ct256", "--pcf-allow-unconstrained"),
        ("", "-nocarry"),
        "ice40",
    ),
    "ECP5-25F": Chip(
        "ecp5",
        ("--25k", "--package", "CABGA381", "--speed", "6", "--lpf-allow-unconstrained"),
        ("", "-nowidelut", "-noccu2 -nowidelut"),
        "ecp5",
    ),
}


@dataclass(frozen=True)
class Design:
    """A classifier with plain ports, by one of the generators."""

    generator: str
    files: Mapping[str, str]
    parts: Mapping[str, str]
    """Modules to synthesise alone: ``encoder``, ``core`` and ``top``."""
    pins: Mapping[str, str | int]
    """Inputs of the top: ``clk``, ``x``, or a constant."""
    output: str
    output_bits: int
    latency: int
    mapped: bool
    """Whether flags change nothing, as it consists of the chip's cells."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One part of one circuit under one set of flags."""

    network: str
    chip: str
    generator: str
    flags: str
    best: bool
    """Whether no other flags give the generator a smaller top."""
    part: str
    lut4: int
    carry: int
    """SB_CARRY of one bit, CCU2C of two."""
    lut4_equivalents: int
    """LUT4, and two for each CCU2C."""
    ff: int
    fmax_mhz: tuple[float, ...] = ()
    """By seed, in the harness; of the top under the best flags only."""
    cycles: int = 0
    nanoseconds: float = 0.0
    """Latency at the median fmax."""


class Plain(wiring.Component):
    """The top of a design between the ports x and y."""

    x: Signal
    y: Signal

    def __init__(self, design: Design, x_bits: int, y_bits: int) -> None:
        self.design = design
        super().__init__({"x": In(x_bits), "y": Out(y_bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        signals = {"clk": ClockSignal(), "x": self.x}
        pins = {
            f"i_{name}": signals[value] if isinstance(value, str) else Const(value, 1)
            for name, value in self.design.pins.items()
        }
        output = Signal(self.design.output_bits)
        m.submodules.dut = Instance(
            self.design.parts["top"], **pins, **{f"o_{self.design.output}": output}
        )
        m.d.comb += self.y.eq(output)
        return m


class Harness(Elaboratable):
    """A shift register before the inputs and a parity behind the outputs: three pins in all."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.i = Signal()
        self.o = Signal(reset_less=True)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.plain = self.plain
        word = Signal(len(self.plain.x), reset_less=True)
        m.d.sync += [word.eq(Cat(self.i, word)), self.o.eq(self.plain.y.xor())]
        m.d.comb += self.plain.x.eq(word)
        return m


class GraphPart(wiring.Component):
    """A part of a classifier alone: inputs i, outputs o."""

    i: Signal
    o: Signal

    def __init__(self, graph: LutGraph, roots: list[int], rows: int, fabric: Fabric) -> None:
        depth = max(graph.levels[root] for root in roots)
        self.graph, self.roots, self.fabric = graph, roots, fabric
        self.stages = -(-depth // rows) if rows else 0
        super().__init__({"i": In(len(graph.inputs)), "o": Out(len(roots))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        outputs = connect_graph(
            m,
            self.graph,
            list(self.i),
            self.roots,
            stage=schedule(self.graph, self.roots, self.stages),
            stages=self.stages,
            step=Const(1, 1),
            fabric=self.fabric,
        )
        m.d.comb += self.o.eq(Cat(*outputs))
        return m


def ours(network: Network, rows: int, fabric: FabricName) -> Design:
    """Return the design of this project, its parts as circuits of their own."""
    component = WeightlessClassifier(network, ClassifierPlan(rows=rows, fabric=fabric))
    cells, pruned, encoder = FABRICS[fabric], prune(network), network.encoder
    first = LutGraph(cells.fan_in)
    words = [[first.input() for _ in range(encoder.bits)] for _ in range(encoder.features)]
    bits = encode(first, words, pruned.bits, encoder)
    second = LutGraph(cells.fan_in)
    results = classify(second, [second.input() for _ in pruned.bits], pruned, cells.widths)
    encoder_part = GraphPart(*first.reduced(bits), 0, cells)
    core_part = GraphPart(*second.reduced(results.index), rows, cells)
    return Design(
        generator="lutformer",
        files={
            "classifier.v": emit(component, top="classifier"),
            "classifier_encoder.v": emit(encoder_part, top="classifier_encoder"),
            "classifier_core.v": emit(core_part, top="classifier_core"),
        },
        parts={"encoder": "classifier_encoder", "core": "classifier_core", "top": "classifier"},
        pins={"clk": "clk", "rst": 0, "i__valid": 1, "o__ready": 1, "i__payload": "x"},
        output="o__payload",
        output_bits=len(component.o.payload.as_value()),
        latency=component.latency,
        mapped=True,
    )


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


class Bench:
    """One design on one chip, in a directory of its own."""

    def __init__(self, directory: Path, design: Design, chip: Chip, network: Network) -> None:
        self.directory, self.design, self.chip, self.network = directory, design, chip, network
        directory.mkdir()
        for name, text in design.files.items():
            (directory / name).write_text(text)
        bits = network.encoder.features * network.encoder.bits
        plain = Plain(design, bits, (network.classes - 1).bit_length())
        (directory / "plain.il").write_text(rtlil.convert(plain, name="plain"))
        harness = Harness(plain)
        text = rtlil.convert(harness, name="harness", ports=[harness.i, harness.o])
        (directory / "harness.il").write_text(text)

    def _yosys(self, script: str) -> None:
        (self.directory / "run.ys").write_text(script)
        log = self.directory / "yosys.log"
        if tools.call("yosys", ["run.ys"], cwd=self.directory, log=log):
            raise BuildFailed(f"Yosys failed: {log.read_text()[-300:]}")

    def synthesise(self, part: str, flags: str) -> dict[str, Any]:
        """Return the cells of a part; leaves its netlist in ``netlist.v``."""
        wrapped = part in ("plain", "harness")
        sources = f"read_verilog {' '.join(self.design.files)}\n"
        sources += f"read_rtlil {part}.il\n" if wrapped else ""
        top = part if wrapped else self.design.parts[part]
        self._yosys(
            f"{sources}synth_{self.chip.family} {flags} -top {top} -json netlist.json\n"
            "tee -q -o stat.json stat -json\nwrite_verilog -noattr netlist.v\n"
        )
        stat = json.loads((self.directory / "stat.json").read_text())
        found = stat["design"]["num_cells_by_type"]
        lut4, double = (sum(found.get(n, 0) for n in k) for k in (("SB_LUT4", "LUT4"), ("CCU2C",)))
        return {
            "lut4": lut4,
            "carry": found.get("SB_CARRY", 0) + double,
            "lut4_equivalents": lut4 + 2 * double,
            "ff": sum(v for k, v in found.items() if k.startswith(("SB_DFF", "TRELLIS_FF"))),
        }

    def route(self, seeds: Iterable[int]) -> tuple[float, ...]:
        """Return the fmax of the netlist in ``netlist.json``, by seed."""
        speeds = []
        for seed in seeds:
            arguments = [*self.chip.nextpnr, "--json", "netlist.json", "--report", "report.json"]
            arguments += ["--seed", str(seed), "--freq", str(TARGET_MHZ), "--timing-allow-fail"]
            log = self.directory / "nextpnr.log"
            if tools.call(f"nextpnr-{self.chip.family}", arguments, cwd=self.directory, log=log):
                raise BuildFailed(f"nextpnr failed: {log.read_text()[-300:]}")
            report = json.loads((self.directory / "report.json").read_text())
            speeds.append(min(clock["achieved"] for clock in report["fmax"].values()))
        return tuple(round(speed, 1) for speed in speeds)

    def check(self, words: np.ndarray) -> None:
        """Simulate the netlist in ``netlist.v``, the top's, on samples [samples, features]."""
        cells = json.loads((self.directory / "netlist.json").read_text())["modules"]["plain"][
            "cells"
        ]
        types = {cell["type"] for cell in cells.values()}
        (self.directory / "cells.v").write_text(cell_models(self.chip.family, types))
        self._yosys(
            "read_verilog netlist.v cells.v\nhierarchy -top plain\n"
            "proc\nflatten\nopt_clean\nwrite_verilog -noattr flat.v\n"
        )
        bits = self.network.encoder.bits
        packed = [pack(row, bits) for row in words]
        classes = weightless_classifier(self.network, words)["class"]
        simulate_verilog(
            [self.directory / "flat.v"],
            top="plain",
            test_file=dwn_vectors.__file__,
            build_dir=self.directory / "simulation",
            config=Vectors(tuple(packed), tuple(map(int, classes)), self.design.latency),
        )

    def rows(self, name: str, chip: str, seeds: Sequence[int], words: np.ndarray) -> list[Row]:
        """Measure under the default flags and under the best ones."""
        choice = self.chip.flags[:1] if self.design.mapped else self.chip.flags
        found: dict[str, list[Row]] = {}
        for flags in choice:
            facts: dict[str, Any] = {"network": name, "chip": chip, "flags": flags, "best": False}
            facts["generator"] = self.design.generator
            cells = {part: self.synthesise(part, flags) for part in ("encoder", "core", "plain")}
            cells["top"] = cells.pop("plain")
            found[flags] = [Row(part=part, **facts, **counts) for part, counts in cells.items()]
        best = min(found, key=lambda flags: found[flags][-1].lut4_equivalents)
        self.synthesise("plain", best)
        self.check(words)
        self.synthesise("harness", best)
        speeds, cycles = self.route(seeds), self.design.latency
        time = round(1000 * cycles / median(speeds), 1)
        rows = [replace(row, best=True) for row in found[best]]
        rows[-1] = replace(rows[-1], fmax_mhz=speeds, cycles=cycles, nanoseconds=time)
        notes.print(f"{name}, {chip}: {rows[-1]}", markup=False)
        default = self.chip.flags[0]
        return (found[default] if default != best else []) + rows


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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="One DWN by two generators.")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path("build/dwn_vs_dwn2rtl"),
        help="folder of NAME.pt; those of the recipe are trained if missing",
    )
    parser.add_argument("--networks", nargs="+", metavar="NAME", default=list(NETWORKS))
    parser.add_argument("--chips", nargs="+", choices=CHIPS, default=list(CHIPS))
    parser.add_argument("--rows", type=int, default=4, help="tables in a row between registers")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    options = parser.parse_args(arguments)
    peer = importlib.util.find_spec("dwn2rtl") is not None
    if not peer:
        notes.print("dwn2rtl is not installed (pip install dwn2rtl==0.3.0): only ours is measured")
    seeds = range(1, options.seeds + 1)
    networks = list(trained(options.checkpoints, options.networks))
    rows = [
        row
        for network in networks
        for chip in options.chips
        for row in compare(network, chip, options.rows, seeds, peer)
    ]
    accuracy = {network.name: network.accuracy for network in networks}
    if options.json:
        found = {"rows": [asdict(row) for row in rows], "ours / theirs": ratios(rows)}
        print(json.dumps({"accuracy": accuracy} | found, indent=2))
        return
    head = ("network", "chip", "generator", "flags", "best", "part", "LUT4", "carries", "LUT4 eq.")
    table((*head, "FF", "fmax MHz", "cycles", "ns"), [tuple(asdict(row).values()) for row in rows])
    print(*(f"{name} {percent} %" for name, percent in accuracy.items()), sep=", ")
    for name, values in ratios(rows).items():
        print(name, *(f"{key} {value:.2f}" for key, value in values.items()))


if __name__ == "__main__":
    main()
