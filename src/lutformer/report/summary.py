"""The closing table of a report."""

from ..console import table
from ..families.unit import Unit
from .figures import Exact, Golden, Report

__all__ = ["print_summary", "summary"]


def summary(report: Report) -> list[tuple[str, str]]:
    """Return the summary of a report, line by line: a name and its value."""
    r = report
    used, unit = r.resources, Unit(r.unit)
    have = used.available or {}
    lines = [
        ("accuracy, float twin", _percent(r.accuracy.twin)),
        ("accuracy, this network", _of(_percent(r.accuracy.integer), r.accuracy.images)),
        *(_text_lines(r) if r.unit != r.example else []),  # a block of text is many tokens
        ("golden == torch", _compared(r.golden, r.golden.images, Unit(r.example))),
        ("RTL == golden", _compared(r.exact, r.exact.frames, unit)),
        ("proofs", _proofs(r)),
        ("board", _text(r.board)),
        ("LUT4", _text(used.lut4)),
        ("cells", _of(_text(used.cells), have.get("cells"))),
        ("block memories", _of(_text(used.ebr), have.get("ebr"))),
        ("SPRAM", _of(_text(used.spram), have.get("spram"))),
        ("DSP", _of(_text(used.dsp), have.get("dsp"))),
        ("fmax", f"{_text(r.timing.fmax_mhz)} MHz (clock {_text(r.timing.clock_mhz)} MHz)"),
        (f"cycles {unit.one}", _text(r.cycles.per_inference)),
        ("cycles / bound", f"{_text(r.cycles.ratio)} (bound {_text(r.cycles.bound)})"),
        (f"{unit.plural} a second at fmax", _text(r.speed.at_fmax)),
        (f"{unit.plural} a second at the clock", _text(r.speed.at_clock)),
        ("virtual board", _answers(r)),
        ("multiplications", _beside(r.operations.multiplications, r.baseline.multiplications)),
        ("baseline's, removed with its MLPs", _percent(r.removed.mlp_share)),
        ("additions", _beside(r.operations.additions, r.baseline.additions)),
        ("bit operations", _text(r.operations.bit_operations)),
        ("memory, bits", _beside(r.operations.memory_bits, r.baseline.memory_bits)),
        (
            "energy, estimated (45 nm), pJ",
            _beside(_whole(r.operations.energy_pj), _whole(r.baseline.energy_pj)),
        ),
    ]
    return lines


def _text_lines(r: Report) -> list[tuple[str, str]]:
    """Return the lines of a decoder."""
    lines = [("loss, nats a character", _text(r.accuracy.loss))]
    if r.accuracy.reading_on is not None:
        lines.append(("loss, reading on", _text(r.accuracy.reading_on)))
    if r.cycles.load:
        lines.append(("cycles to load the weights", _text(r.cycles.load)))
    return lines


def print_summary(report: Report) -> None:
    """Print :func:`summary` as a table."""
    table(("figure", "value"), summary(report), title=f"{report.name} ({report.network[:16]})")


def _text(value: object) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _of(value: str, whole: int | None) -> str:
    return value if value == "-" else f"{value} of {_text(whole)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _compared(of: Golden | Exact, count: int | None, unit: Unit) -> str:
    if count is None:
        return "-"
    integers = f"{_text(of.integers)} integers of {unit.counted(count)}"
    return f"{_text(of.mismatches)} mismatches in {integers}"


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _beside(value: int | None, other: int | None) -> str:
    """Return a figure beside that of the int8 softmax/GELU network of the same shape."""
    known = value is not None and other is not None
    return f"{_text(value)} (int8 baseline {_text(other)})" if known else _text(value)


def _answers(report: Report) -> str:
    v = report.virtual
    return (
        "-"
        if v.images is None
        else f"{Unit(report.example).counted(v.images)}, {_text(v.mismatches)} mismatches"
    )


def _proofs(report: Report) -> str:
    if report.claims is None:
        return "-"
    shown = sum(claim.shown for claim in report.claims)
    return f"{shown} shown, {len(report.claims) - shown} skipped"
