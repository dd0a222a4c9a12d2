"""Attention engines at nearly equal throughput: ``python -m benchmarks.engines [--full]``.

Each engine gets the lanes with which a layer takes about as many cycles as with the others, counted
in a simulation of its Verilog. What it takes of a chip is that of the engine alone.
Quick by default: two engines of few tokens, synthesised for one family.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]

from benchmarks.attention_engines import ENGINES, Case, component, config, measure
from benchmarks.bars import Bar, add_full, json_text
from lutformer.boards.board import board
from lutformer.boards.build import netlist, tools
from lutformer.boards.build.timing import expose_dsps, read_timing
from lutformer.console import notes, table
from lutformer.errors import BuildFailed
from lutformer.hdl.planner.planner import POPCOUNTS

__all__ = ["FAMILIES", "LANES", "Row", "main", "synthesise"]

TOKENS, HEADS = 64, 4
QUICK_TOKENS, QUICK_ENGINES = 8, ("int8 softmax", "linear, linear hash")
LANES = {
    "int8 softmax": (4, 1),
    "Hamming, table": (4, 1),
    "Hamming, powers of two": (4, 1),
    "linear, kernel hash": (2, 4),  # fewer products a cycle would be slower than the first pass
    "linear, linear hash": (2, 1),
    "linear, linear hash, causal": (1, 1),  # one pass instead of two
}
"""Value columns, and products of a kernel hash, in a cycle."""
TARGET_HZ = 250_000_000
"""What nextpnr is asked for: more than any engine reaches, so that none stops short of its best."""


@dataclass(frozen=True)
class Family:
    """A chip, as one of the boards has it, with or without its multipliers."""

    board: str
    without_dsp: bool = False

    @property
    def synth(self) -> str:
        """The command of Yosys, with the board's own options."""
        chip = board(self.board)
        options = [option for option in chip.synth if option != "-dsp" or not self.without_dsp]
        if self.without_dsp and chip.family == "ecp5":
            options.append("-nodsp")
        return chip.model_copy(update={"synth": tuple(options)}).synthesis


FAMILIES = {
    "iCE40": Family("icebreaker"),
    "iCE40, no DSP": Family("icebreaker", without_dsp=True),
    "ECP5": Family("ulx3s_85f"),
    "ECP5, no DSP": Family("ulx3s_85f", without_dsp=True),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One engine on one family."""

    family: str
    engine: str
    columns: int
    hash_lanes: int
    cycles: int
    """Of a layer, from the first input to the last output."""
    lut4: int
    ff: int
    dsp: int
    block_memories: int
    distributed: int
    """ECP5: memories of 16 words of 4 bits in logic cells."""
    memory_bits: int
    """Of all memories of the engine, wherever they lie."""
    fmax_mhz: float | None
    """Routed alone; None if that was not asked for, or if the engine does not fit."""


def synthesise(family: str, case: Case, cycles: int, *, route: bool = False) -> Row:
    """Synthesise one engine, and perhaps route it."""
    with tempfile.TemporaryDirectory() as name:
        return _synthesise(Path(name), family, case, cycles, route)


def _synthesise(directory: Path, family: str, case: Case, cycles: int, route: bool) -> Row:
    chip = board(FAMILIES[family].board)
    case = replace(case, popcount=POPCOUNTS[chip.family])
    (directory / "top.il").write_text(rtlil.convert(component(case), name="top"))
    (directory / "top.ys").write_text(
        f"read_rtlil top.il\n{FAMILIES[family].synth} -top top -json top.json\n"
        "tee -q -o stat.json stat -json\n"
    )
    log = directory / "yosys.log"
    if tools.call("yosys", ["top.ys"], cwd=directory, log=log):
        kept = shutil.copy(log, Path(tempfile.gettempdir()) / log.name)
        raise BuildFailed(f"Yosys failed (log: {kept!r})")
    stat = json.loads((directory / "stat.json").read_text())
    found = netlist.cells(stat, chip)
    by_type = stat["design"]["num_cells_by_type"]
    return Row(
        family=family,
        engine=case.engine,
        columns=case.columns,
        hash_lanes=case.hash_lanes,
        cycles=cycles,
        lut4=found["lut4"],
        ff=found["ff"],
        dsp=found["dsp"],
        block_memories=found["ebr"],
        distributed=by_type.get("TRELLIS_DPR16X4", 0),
        memory_bits=sum(width * depth for width, depth in config(case).memories),
        fmax_mhz=_route(directory, family) if route else None,
    )


def _route(directory: Path, family: str) -> float | None:
    chip = board(FAMILIES[family].board).model_copy(update={"clock_hz": TARGET_HZ})
    top, report = directory / "top.json", directory / "report.json"
    if chip.family == "ice40":
        expose_dsps(top)
    arguments = [*chip.nextpnr, "--json", top.name, "--report", report.name]
    arguments += ["--seed", "1", "--freq", f"{TARGET_HZ / 1e6:g}", "--timing-allow-fail"]
    log = directory / "nextpnr.log"
    if tools.call(f"nextpnr-{chip.family}", arguments, cwd=directory, log=log):
        return None
    return round(read_timing(report, top, chip).fmax_mhz, 1)


BASELINE = "int8 softmax"
SMALLER = ("Hamming, table", "Hamming, powers of two", "linear, linear hash")
"""Engines that without multipliers take fewer LUT4s than :data:`BASELINE`."""


def bars(rows: Sequence[Row]) -> list[Bar]:
    luts = {(row.family, row.engine): row.lut4 for row in rows}
    return [
        Bar(
            name=f"{engine}, {family}: LUT4 / softmax's",
            value=round(luts[family, engine] / luts[family, BASELINE], 3),
            at_most=1.0,
        )
        for family in FAMILIES
        for engine in SMALLER
        if "no DSP" in family and {(family, engine), (family, BASELINE)} <= set(luts)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Attention engines at equal throughput.")
    parser.add_argument("--families", nargs="+", choices=FAMILIES)
    parser.add_argument("--engines", nargs="+", choices=ENGINES)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--heads", type=int, default=HEADS)
    parser.add_argument("--route", action="store_true", help="also the fmax of each engine alone")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    add_full(parser, "all families and engines, routed: an hour")
    options = parser.parse_args(arguments)
    full = options.full
    families = options.families or (list(FAMILIES) if full else ["iCE40, no DSP"])
    engines = options.engines or (ENGINES if full else QUICK_ENGINES)
    rows = []
    for engine in engines:
        columns, hash_lanes = LANES[engine]
        case = Case(
            engine=engine,
            tokens=options.tokens or (TOKENS if full else QUICK_TOKENS),
            heads=options.heads,
            columns=columns,
            hash_lanes=hash_lanes,
        )
        cycles = measure(case).layer
        notes.print(f"{engine}: {cycles:,} cycles", markup=False)
        for family in families:
            rows.append(synthesise(family, case, cycles, route=options.route or full))
            notes.print(f"{engine}, {family}: {rows[-1].lut4:,} LUT4", markup=False)
    if options.json:
        print(json_text(bars(rows), [asdict(row) for row in rows]))
        return
    head = ("family", "engine", "columns", "hash lanes", "cycles", "LUT4", "FF", "DSP")
    head += ("block memories", "distributed", "memory bits", "fmax MHz")
    rows.sort(key=lambda row: families.index(row.family))
    table(head, [["-" if cell is None else cell for cell in asdict(row).values()] for row in rows])


if __name__ == "__main__":
    main()
