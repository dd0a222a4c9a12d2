"""How the attention engines grow with the tokens: ``python -m benchmarks.complexity [--full]``.

Cycles are counted in simulations of the emitted Verilog whose outputs are compared with the golden
model, operations and energy come from model/costs/accounting.py, block memories from the engine's
shape. Quick by default: few tokens.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.attention_engines import (
    ANCHORS,
    CODE_BITS,
    ENGINES,
    HEAD_WIDTH,
    Case,
    config,
    layer,
    measure,
)
from benchmarks.bars import Bar, add_full, json_text
from lutformer.console import notes, out, table
from lutformer.model.attention import Attention
from lutformer.model.costs.accounting import itemize, total
from lutformer.model.costs.operations import Operations
from lutformer.model.linear_attention import LinearAttention, LinearHash

__all__ = ["FULL", "QUICK", "Row", "exponents", "main", "operations"]

QUICK = (4, 16)
FULL = (64, 256, 1024, 4096)
PROJECTIONS = {"query", "key", "value", "output", "hash.project"}
METRICS = {
    "cycles": "Cycles, first input to last output (measured)",
    "cycles_after_input": "Cycles, last input to last output (measured)",
    "operations": "Operations (counted)",
    "energy_pj": "Energy in pJ (estimated)",
    "memory_bits": "Bits of state and tables (counted)",
    "block_memory_bits": "Bits of the engine's block memories",
}
PANELS = {"cycles": "cycles", "energy_pj": "pJ", "block_memory_bits": "bits"}
"""What is drawn, and the name of its axis."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One engine at one length; of a layer without its projections."""

    engine: str
    tokens: int
    cycles: int
    cycles_after_input: int
    multiplications: int
    operations: int
    """Of all kinds; an XOR of a bit and its counting is one."""
    energy_pj: int
    memory_bits: int
    block_memory_bits: int


def operations(attention: Attention, tokens: int) -> Operations:
    """Return what a layer does between its projections and the output's: what the engine does."""
    left = PROJECTIONS
    if isinstance(attention, LinearAttention) and isinstance(attention.hash, LinearHash):
        left = left | {f"hash.{name}" for name in ("query", "key", "code")}
    parts = itemize(attention, tokens)
    return total({name: part for name, part in parts.items() if name not in left})


def row(case: Case) -> Row:
    """Simulate and count one engine."""
    done, cycles = operations(layer(case), case.tokens), measure(case)
    kinds = (done.multiplications, done.additions, done.bits, done.lookups, done.shifts)
    return Row(
        engine=case.engine,
        tokens=case.tokens,
        cycles=cycles.layer,
        cycles_after_input=cycles.after_input,
        multiplications=done.multiplications,
        operations=sum(kinds),
        energy_pj=round(done.energy_pj),
        memory_bits=done.memory_bits,
        block_memory_bits=sum(width * depth for width, depth in config(case).memories),
    )


def exponents(rows: Sequence[Row], metric: str) -> tuple[float, float]:
    """Return the exponents of one engine's growth: of all lengths, and of the last two.

    The first is the slope of a straight line through the logarithms.
    """
    n = np.log([row.tokens for row in rows])
    y = np.log([getattr(row, metric) for row in rows])
    last = (y[-1] - y[-2]) / (n[-1] - n[-2])
    return round(float(np.polyfit(n, y, 1)[0]), 2), round(float(last), 2)


GROWTH = {"linear": 1.05}
"""Exponent of the cycles, at most, by the beginning of an engine's name."""
PAIRS = 2.05
"""... of the other engines, which look at every pair of tokens."""


def bars(rows: Sequence[Row]) -> list[Bar]:
    return [
        Bar(
            name=f"{engine}: exponent of the cycles between the last two lengths",
            value=exponents(some, "cycles")[1],
            at_most=GROWTH.get(engine.split(",")[0], PAIRS),
        )
        for engine, some in by_engine(rows).items()
    ]


def by_engine(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each engine, the shortest sequence first."""
    found: dict[str, list[Row]] = {}
    for each in sorted(rows, key=lambda each: each.tokens):
        found.setdefault(each.engine, []).append(each)
    return found


def draw(rows: Sequence[Row], path: Path) -> None:
    """Save the picture: a line an engine, both axes logarithmic."""
    from matplotlib import ticker
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    lengths = sorted({each.tokens for each in rows})
    for axes, (metric, unit) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for (engine, some), marker in zip(by_engine(rows).items(), "osd^vx", strict=False):
            values = [getattr(each, metric) for each in some]
            label = f"{engine} (n^{exponents(some, metric)[1]:.2f})"
            axes.loglog([each.tokens for each in some], values, marker=marker, ms=4, label=label)
        axes.set(title=METRICS[metric], xlabel="tokens n", ylabel=unit)
        axes.xaxis.set_major_locator(ticker.FixedLocator(lengths))
        axes.xaxis.set_major_formatter(ticker.FixedFormatter([str(n) for n in lengths]))
        axes.xaxis.set_minor_locator(ticker.NullLocator())
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, title="growth at the end", title_fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def show(rows: Sequence[Row]) -> None:
    """Print a table for each metric."""
    lengths = sorted({each.tokens for each in rows})
    head = ("engine", *(f"n = {n}" for n in lengths), "exponent", "last two n")
    for metric, title in METRICS.items():
        lines = [
            (engine, *(f"{getattr(each, metric):,}" for each in some), *exponents(some, metric))
            for engine, some in by_engine(rows).items()
        ]
        table(head, lines, title=title)
        out.print()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Growth of the attention engines with n.")
    add_full(parser, f"n up to {FULL[-1]}: half an hour")
    parser.add_argument("--tokens", type=int, nargs="+", help="these lengths instead")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--columns", type=int, default=HEAD_WIDTH, help="value columns a cycle")
    parser.add_argument("--json", action="store_true", help="print rows and exponents as JSON")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args(arguments)
    lengths = sorted(set(options.tokens or (FULL if options.full else QUICK)))
    if len(lengths) < 2:
        parser.error("growth needs two lengths")
    rows = []
    for tokens in lengths:
        for engine in options.engines:
            rows.append(row(Case(engine=engine, tokens=tokens, columns=options.columns)))
            notes.print(f"n = {tokens}: {engine}, {rows[-1].cycles:,} cycles", markup=False)
    picture = options.output / "complexity.png"
    draw(rows, picture)
    if not options.json:
        show(rows)
        out.print(f"Picture: {str(picture)!r}", markup=False)
        return
    shape = {"heads": 1, "head_width": HEAD_WIDTH, "code_bits": CODE_BITS, "anchors": ANCHORS}
    growth = {
        engine: {metric: exponents(some, metric) for metric in METRICS}
        for engine, some in by_engine(rows).items()
    }
    shape |= {"columns": options.columns, "hash_lanes": HEAD_WIDTH}
    figures = [asdict(each) for each in rows]
    more = {"shape": shape, "exponents": growth, "picture": str(picture)}
    print(json_text(bars(rows), figures, **more))


if __name__ == "__main__":
    main()
