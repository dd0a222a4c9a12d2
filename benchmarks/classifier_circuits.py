"""Circuits of weightless classifiers, measured: cells, speed between registers, answers.

Every circuit is wrapped alike: a shift register before its inputs and a parity behind its outputs,
so that pins limit nothing; its netlist is simulated before it is routed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Cat, ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from benchmarks import dwn_vectors
from benchmarks.dwn_vectors import Vectors
from lutformer.boards.build import tools
from lutformer.console import notes
from lutformer.errors import BuildFailed
from lutformer.hdl.classifier.classifier_graph import classify
from lutformer.hdl.classifier.feature_encoder import encode
from lutformer.hdl.classifier.weightless_classifier import WeightlessClassifier
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.luts.circuit import connect_graph
from lutformer.hdl.luts.fabric import FABRICS, Fabric
from lutformer.hdl.luts.graph import LutGraph
from lutformer.hdl.luts.schedule import schedule
from lutformer.hdl.plan.classifier_plan import ClassifierPlan, FabricName
from lutformer.model.network.lut_pruning import prune
from lutformer.model.network.weightless_classifier import WeightlessClassifier as Network
from lutformer.model.network.weightless_classifier import weightless_classifier
from lutformer.sim.classifier import pack
from lutformer.sim.formal.cell_models import cell_models
from lutformer.sim.runner import simulate_verilog

__all__ = ["CHIPS", "Bench", "Chip", "Design", "Row", "ours"]

TARGET_MHZ = 250
"""What nextpnr is asked for: more than any row reaches, so that none stops short of its best."""


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
