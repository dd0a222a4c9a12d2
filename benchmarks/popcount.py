"""Ways to count bits, synthesised and routed: ``python -m benchmarks.popcount [--full]``.

Every row is a circuit of its own: a shift register of N bits, the popcount, and a register for its
result. The smallest is what ``hdl/lib/arithmetic.py`` ought to use.
Quick by default: 8 bits, one seed of place and route.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Array, Cat, Const, Elaboratable, Module, Signal, Value

from benchmarks.bars import Bar, add_full, json_text
from lutformer.boards.board import board
from lutformer.boards.build import netlist, tools
from lutformer.console import table
from lutformer.errors import BuildFailed
from lutformer.hdl.lib.arithmetic import adder_tree, popcount

__all__ = ["FAMILIES", "WAYS", "Family", "Row", "measure"]

QUICK_BITS, BITS, SEEDS = (8,), (16, 32, 64, 128), 3
TARGET_MHZ = 250
"""What nextpnr is asked for: more than any row reaches, so that none stops short of its best."""


def _tables(bits: Value, size: int) -> list[Value]:
    """Count groups of ``size`` bits, each by a lookup table for each bit of its count."""
    groups = [bits[n : n + size] for n in range(0, len(bits), size)]
    return [
        Array(Const(n.bit_count(), len(g).bit_length()) for n in range(1 << len(g)))[g]
        for g in groups
    ]


def tables_of_3(bits: Value) -> Value:
    """Count three bits by two tables, then add up."""
    return adder_tree(_tables(bits, 3))


def tables_of_4(bits: Value) -> Value:
    """Count four bits by three tables, then add up."""
    return adder_tree(_tables(bits, 4))


def carry_inputs(bits: Value, leaf: int) -> Value:
    """Count up to ``leaf`` bits by an adder tree; above, give every adder a bit as its carry."""
    if len(bits) <= leaf:
        return popcount(bits)
    half = (len(bits) - 1) // 2
    a, b = carry_inputs(bits[:half], leaf), carry_inputs(bits[half:-1], leaf)
    return (Cat(1, a) + Cat(bits[-1], b))[1:]


def compressors(bits: Value, size: int) -> Value:
    """Replace ``size`` bits of one weight by their count until two a weight are left; add those."""
    columns: list[list[Value]] = [list(bits)]
    while max(map(len, columns)) > 2:
        below: list[list[Value]] = [[] for _ in range(len(columns) + 2)]
        for weight, column in enumerate(columns):
            while len(column) > 2:
                group, column = column[:size], column[size:]
                group, column = (group, column) if len(group) in (3, size) else _three(group)
                (count,) = _tables(Cat(*group), size)
                for place, bit in enumerate(count):
                    below[weight + place].append(bit)
            below[weight] += column
        while not below[-1]:
            below.pop()
        columns = below
    rows = [Cat(*(c[n] if len(c) > n else Const(0, 1) for c in columns)) for n in range(2)]
    return rows[0] + rows[1]


def _three(group: list[Value]) -> tuple[list[Value], list[Value]]:
    return group[:3], group[3:]


WAYS: dict[str, Callable[[Value], Value]] = {
    "tree of hdl/lib/arithmetic.py": popcount,
    "carry of hdl/lib/arithmetic.py": lambda bits: popcount(bits, "carry"),
    "carry inputs above 3 bits": lambda bits: carry_inputs(bits, 3),
    "tables of 3, adder tree": tables_of_3,
    "tables of 4, adder tree": tables_of_4,
    "3:2 compressors": lambda bits: compressors(bits, 3),
    "6:3 compressors": lambda bits: compressors(bits, 6),
}


class Registered(Elaboratable):
    """``count`` of the last N bits that came in, a cycle late; few pins, so that any N fits.

    Attributes
    ----------
    i : Signal, in
    o : Signal(bits_for(N)), out
    """

    def __init__(self, bits: int, count: Callable[[Value], Value]) -> None:
        self.count = count
        self.word = Signal(bits)
        self.i = Signal()
        self.o = Signal(bits.bit_length())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.word.eq(Cat(self.i, self.word))
        m.d.sync += self.o.eq(self.count(self.word))
        return m


@dataclass(frozen=True)
class Family:
    """A chip, as one of the boards has it, and how Yosys maps to it."""

    board: str
    synth: tuple[str, ...] = ("-abc9",)


FAMILIES = {
    "iCE40UP5K": Family("icebreaker"),
    "ECP5": Family("ulx3s_85f"),
    "ECP5 -nowidelut": Family("ulx3s_85f", ("-abc9", "-nowidelut")),
}


@dataclass(frozen=True)
class Row:
    """One circuit on one family."""

    family: str
    bits: int
    way: str
    cells: int
    """Logic cells that nextpnr fills, less the iCE40's cells of the shift register."""
    lut4: int
    carry: int
    """Carry cells: SB_CARRY of one bit, CCU2C of two."""
    ff: int
    fmax_mhz: float
    """Median over the seeds."""


def measure(family: str, bits: int, way: str, seeds: Sequence[int] = (1,)) -> Row:
    """Synthesise and route one circuit."""
    with tempfile.TemporaryDirectory() as name:
        return _measure(Path(name), family, bits, way, seeds)


def _measure(directory: Path, family: str, bits: int, way: str, seeds: Sequence[int]) -> Row:
    chip = board(FAMILIES[family].board)
    circuit = Registered(bits, WAYS[way])
    ports = [circuit.i, circuit.o]
    (directory / "top.il").write_text(rtlil.convert(circuit, name="top", ports=ports))
    synth = " ".join([f"synth_{chip.family}", *FAMILIES[family].synth])
    (directory / "top.ys").write_text(
        f"read_rtlil top.il\n{synth} -top top -json top.json\ntee -q -o stat.json stat -json\n"
    )
    _call("yosys", ["top.ys"], directory)
    found = netlist.cells(json.loads((directory / "stat.json").read_text()), chip)
    speeds, cells = [], 0
    for seed in seeds:
        arguments = [*chip.nextpnr, "--json", "top.json", "--report", "report.json"]
        arguments += ["--seed", str(seed), "--freq", str(TARGET_MHZ), "--timing-allow-fail"]
        _call(f"nextpnr-{chip.family}", arguments, directory)
        report = directory / "report.json"
        speeds.append(min(c["achieved"] for c in json.loads(report.read_text())["fmax"].values()))
        cells, _ = netlist.used(report, chip)["logic cells"]
    return Row(
        family=family,
        bits=bits,
        way=way,
        cells=cells - (bits if chip.family == "ice40" else 0),
        lut4=found["lut4"],
        carry=found["carry"],
        ff=found["ff"],
        fmax_mhz=round(median(speeds), 1),
    )


def _call(tool: str, arguments: list[str], directory: Path) -> None:
    log = directory / f"{tool}.log"
    if tools.call(tool, arguments, cwd=directory, log=log):
        kept = shutil.copy(log, Path(tempfile.gettempdir()) / log.name)
        raise BuildFailed(f"{tool} failed (log: {kept!r})")


CHOSEN = {
    "iCE40UP5K": ("carry of hdl/lib/arithmetic.py", 1.0),
    "ECP5 -nowidelut": ("tree of hdl/lib/arithmetic.py", 1.03),
}
"""What the planner takes on the boards, and how many times the smallest way's cells it may fill."""


def bars(rows: Sequence[Row]) -> list[Bar]:
    """Hold what the planner chooses to the smallest way, from 16 bits on."""
    limits = []
    for family, (way, limit) in CHOSEN.items():
        for bits in sorted({row.bits for row in rows if row.bits >= BITS[0]}):
            cells = {r.way: r.cells for r in rows if (r.family, r.bits) == (family, bits)}
            name = f"{family}, {bits} bits: cells of the planner's choice / of the smallest"
            ratio = round(cells[way] / min(cells.values()), 3)
            limits.append(Bar(name=name, value=ratio, at_most=limit))
    return limits


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Ways to count bits, on each family.")
    parser.add_argument("--bits", type=int, nargs="+", help="these widths instead")
    parser.add_argument("--seeds", type=int, help="the fmax is the median of so many")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    add_full(parser, "16 to 128 bits, three seeds: an hour")
    options = parser.parse_args(arguments)
    seeds = range(1, (options.seeds or (SEEDS if options.full else 1)) + 1)
    widths = options.bits or (BITS if options.full else QUICK_BITS)
    rows = [
        measure(family, bits, way, seeds) for family in FAMILIES for bits in widths for way in WAYS
    ]
    if options.json:
        print(json_text(bars(rows), [asdict(row) for row in rows]))
        return
    head = ("family", "bits", "way", "cells", "LUT4", "carries", "FFs", "fmax MHz")
    table(head, [tuple(asdict(row).values()) for row in rows])


if __name__ == "__main__":
    main()
