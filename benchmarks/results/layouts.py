"""How docs/results.md shows what a benchmark found: one function a table."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchmarks.results.record import Table

__all__ = ["LAYOUTS"]

Found = Mapping[str, Any]
Layout = Callable[[Found], Table]


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    return Table(tuple(head), tuple(tuple(map(str, row)) for row in rows))


def emission(found: Found) -> Table:
    return _table(
        ("inputs each", "LUT4", "megabytes", "graph, s", "in all, s of CPU"),
        (
            (r["fan_in"], f"{r['lut4']:,}", r["megabytes"], r["graph_s"], r["cpu_s"])
            for r in found["figures"]
        ),
    )


def lut_layer(found: Found) -> Table:
    head = ("inputs", "tables", "inputs each", "wiring", "ms", "loop, ms", "ratio")
    rows = (
        (
            r["inputs"],
            f"{r['luts']:,}",
            r["fan_in"],
            r["wiring"],
            f"{r['layer_ms']:.2f}",
            f"{r['loop_ms']:.2f}",
            f"{r['ratio']:.1f}",
        )
        for r in found["figures"]
    )
    return _table(head, rows)


def proof(found: Found) -> Table:
    rows = (
        (r["part"], f"{r['luts']:,}", r["fan_in"], r["seconds"], r["verdict"])
        for r in found["figures"]
    )
    head = ("part", "tables", "inputs each", "seconds, the lowering by Yosys included", "proved")
    return _table(head, rows)


def link_noise(found: Found) -> Table:
    f = found["figures"]
    damage = (f"{f['faults'][kind]:,}" for kind in ("flips", "drops", "repeats", "junk"))
    rows: list[tuple[str, str]] = [
        ("bytes to the board / to the host", f"{f['bytes_to_board']:,} / {f['bytes_to_host']:,}"),
        ("bits flipped / bytes lost / repeated / made up", " / ".join(damage)),
        ("requests / sent again", f"{f['requests']:,} / {f['retries']:,}"),
        ("answers, each compared with the golden run", f"{f['answers']:,}"),
        ("wrong answers", f"{f['wrong']:,}"),
        ("requests given up after five attempts, with an error", f"{f['given_up']:,}"),
        ("times that the board did not answer at once after a silence", f"{f['lock_ups']:,}"),
        ("simulated cycles / seconds", f"{f['simulated_cycles']:,} / {f['seconds']:.0f}"),
    ]
    if "crc" in f:
        crc = f["crc"]
        rows.append(("damaged frames, for the CRCs alone", f"{crc['damaged']:,}"))
        rows.append(("... that CRC-16 / CRC-32 let pass", f"{crc['crc16']} / {crc['crc32']}"))
    return _table(("figure", "value"), rows)


def planted_faults(found: Found) -> Table:
    rows = found["figures"]
    seconds = sum(row["seconds"] for row in rows)
    return _table(
        ("faults planted", "caught", "minutes in all"),
        [(len(rows), sum(row["caught"] for row in rows), f"{seconds / 60:.0f}")],
    )


def boards(found: Found) -> Table:
    head = ("board", "chip", "LUT4", "flip-flops", "cells", "block memories", "DSP", "fmax, MHz")
    head += ("clock, MHz", "cycles", "images/s at fmax", "at the clock", "bitstream, bytes")
    return _table(head, (_board(row) for row in found["figures"] if row["verdict"] == "built"))


def _board(row: Found) -> tuple[str, ...]:
    of = row["available"]
    used = (f"{row[kind]:,} of {of[kind]:,}" for kind in ("cells", "ebr", "dsp"))
    return (
        f"`{row['board']}`",
        row["device"],
        f"{row['lut4']:,}",
        f"{row['ff']:,}",
        *used,
        f"{row['fmax_mhz']:.1f}",
        f"{row['clock_mhz']:g}",
        f"{row['cycles']:,}",
        f"{row['images_at_fmax']:,.0f}",
        f"{row['images_at_clock']:,.0f}",
        f"{row['bitstream_bytes']:,}",
    )


def accuracies(task: str) -> Layout:
    def lay(found: Found) -> Table:
        head = ("network", "accuracy", "spread", "of each seed", "golden == torch, integers")
        exact = found["figures"]["golden"][task]
        rows = found["figures"]["accuracy"][task]
        return _table(
            head,
            (
                (
                    name,
                    f"{row['mean']:.2f} %",
                    f"{row['spread']:.2f} %",
                    ", ".join(f"{score:.2f} %" for score in row["seeds"]),
                    _exact(exact.get(name, [])),
                )
                for name, row in rows.items()
            ),
        )

    return lay


def _exact(runs: list[Found]) -> str:
    if not runs:
        return ""
    wrong, all_ = (sum(run[key] for run in runs) for key in ("mismatches", "integers"))
    return f"{wrong} mismatches in {all_:,}"


def simulations(found: Found) -> Table:
    return _table(
        ("network", "RTL == golden", "cycles an image", "cycles / bound"),
        (
            (
                name,
                f"{r['mismatches']} mismatches in {r['integers']:,} integers",
                f"{r['cycles']:,}",
                f"{r['ratio']:.2f}",
            )
            for name, r in found["figures"]["rtl"].items()
        ),
    )


def estimators(found: Found) -> Table:
    return _table(
        ("estimator", "accuracy", "spread", "of each seed", "divergence"),
        (
            (
                r["way"],
                f"{r['mean']:.2%}",
                f"{r['spread']:.2%}",
                ", ".join(f"{score:.2%}" for score in r["each"]),
                "" if r["divergence"] is None else f"{r['divergence']:.2f}",
            )
            for r in found["figures"]
        ),
    )


def popcount(family: str) -> Layout:
    def lay(found: Found) -> Table:
        rows = [row for row in found["figures"] if row["family"] == family]
        widths = sorted({row["bits"] for row in rows})
        least = {n: min(row["cells"] for row in rows if row["bits"] == n) for n in widths}
        cells: dict[str, list[str]] = {}
        for row in sorted(rows, key=lambda row: row["bits"]):
            count = row["cells"]
            shown = f"**{count}**" if count == least[row["bits"]] else f"{count}"
            cells.setdefault(row["way"], [row["way"]]).append(f"{shown}, {row['fmax_mhz']:.1f}")
        return _table((family, *(f"N = {n}" for n in widths)), cells.values())

    return lay


def growth(metric: str, title: str) -> Layout:
    """Lay out one metric of the complexity benchmark, by engine and length."""

    def lay(found: Found) -> Table:
        rows = found["figures"]
        lengths = sorted({row["tokens"] for row in rows})
        lines = []
        for engine, exponents in found["exponents"].items():
            by = {row["tokens"]: row[metric] for row in rows if row["engine"] == engine}
            cells = (f"{by[n]:,}" if n in by else "" for n in lengths)
            lines.append((engine, *cells, *(f"{e:.2f}" for e in exponents[metric])))
        head = (title, *(f"n = {n:,}" for n in lengths), "exponent", "last two n")
        return _table(head, lines)

    return lay


def engines(found: Found) -> Table:
    rows = found["figures"]
    families = list(dict.fromkeys(row["family"] for row in rows))
    lines = []
    for engine in dict.fromkeys(row["engine"] for row in rows):
        by = {row["family"]: row for row in rows if row["engine"] == engine}
        first = next(iter(by.values()))
        facts = (first["columns"], f"{first['cycles']:,}", f"{first['memory_bits']:,}")
        lines.append((engine, *facts, *(_engine(by[family]) for family in families)))
    return _table(("engine", "columns", "cycles a layer", "memory bits", *families), lines)


def _engine(row: Found) -> str:
    memories = f"{row['block_memories']}"
    memories += f" + {row['distributed']}" if row["distributed"] else ""
    cells = f"{row['lut4']:,} / {row['ff']:,} / {row['dsp']} / {memories}"
    return f"{cells}; {'—' if row['fmax_mhz'] is None else row['fmax_mhz']}"


def plain(key: str) -> Layout:
    """Lay out rows of ``found["figures"][key]``, every key a column."""

    def lay(found: Found) -> Table:
        rows = found["figures"][key]
        return _table(rows[0], ((_cell(cell) for cell in row.values()) for row in rows))

    return lay


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value))
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else f"{value}"


def nanogpt(found: Found) -> Table:
    rows = found["figures"]
    return _table(rows[0], ((_cell(cell) for cell in row.values()) for row in rows))


METRICS = {
    "cycles": "Cycles, first input to last output (measured)",
    "cycles_after_input": "Cycles, last input to last output (measured)",
    "operations": "Operations (counted)",
    "energy_pj": "Energy in pJ (estimated)",
    "memory_bits": "Bits of state and tables (counted)",
    "block_memory_bits": "Bits of the engine's block memories",
}

LAYOUTS: dict[str, Layout] = {
    "emission": emission,
    "lut_layer": lut_layer,
    "proof": proof,
    "link_noise": link_noise,
    "planted_faults": planted_faults,
    "boards": boards,
    "attention-digits": accuracies("digits"),
    "attention-fashion-mnist": accuracies("fashion-mnist"),
    "attention-rtl": simulations,
    "mlp": accuracies("fashion-mnist"),
    "estimators": estimators,
    "popcount-ice40": popcount("iCE40UP5K"),
    "popcount-ecp5": popcount("ECP5"),
    "popcount-ecp5-nowidelut": popcount("ECP5 -nowidelut"),
    **{f"complexity-{metric}": growth(metric, title) for metric, title in METRICS.items()},
    "engines": engines,
    "weightless": plain("results"),
    "weightless-circuits": plain("circuits"),
    "weightless-inputs": plain("inputs of a LUT"),
    "weightless-surrogates": plain("surrogates"),
    "nanogpt": nanogpt,
}
"""By the name of the table; without an entry a table is kept cell by cell."""
