"""The tables of docs/results.md are those of the records, and none is typed."""

import json
import re

import pytest

from benchmarks.bars import Bar, json_text
from benchmarks.results.layouts import LAYOUTS
from benchmarks.results.page import MARKED, PAGE, PARTS, written
from benchmarks.results.record import Kept, Measured, Origin, Record, Table, records
from lutformer.errors import UsageError

ORIGIN = Origin(command="python -m benchmarks.emission", date="2026-12-01", commit="abc")
TABLE = Table(("a", "b"), (("1", ""),))


def test_page_is_what_the_records_say():
    text = PAGE.read_text()
    assert written(text, records()) == text, "python -m benchmarks.results writes the page"


def test_no_table_is_typed():
    left = MARKED.sub("", PAGE.read_text())
    assert not re.findall(r"^\|.*", left, re.MULTILINE)


def test_every_layout_is_of_a_table_of_a_part():
    shown = {(part, name) for _, part, name, _ in MARKED.findall(PAGE.read_text())}
    names = {name for _, name in shown} | {"planted_faults"}
    assert set(LAYOUTS) <= names
    assert set(PARTS) <= {part for part, _ in shown} | {"planted_faults"}


def page(part: str, name: str) -> str:
    return f"Before\n<!-- results: {part}/{name} -->\nold\n<!-- end -->\nafter\n"


def test_measured_and_kept_tables_are_told_apart():
    row = {"fan_in": 4, "lut4": 4111, "megabytes": 0.7, "graph_s": 0.9, "cpu_s": 2.8}
    found = json.loads(json_text([Bar(name="x", value=1, at_most=2)], [row]))
    measured = Record(measured=Measured(origin=ORIGIN, found=found))
    text = written(page("emission", "emission"), {"emission": measured})
    assert "| 4 | 4,111 | 0.7 | 0.9 | 2.8 |" in text
    assert "Measured at `abc`, 2026-12-01: `python -m benchmarks.emission`" in text
    assert written(text, {"emission": measured}) == text
    kept = Record(tables={"emission": Kept(origin=ORIGIN, table=TABLE)})
    text = written(text, {"emission": kept})
    assert "| a | b |\n|---|---|\n| 1 | |\n" in text
    assert "Kept as entered by hand at `abc`" in text
    assert text.startswith("Before\n")
    assert text.endswith("after\n")


def test_a_table_without_a_record_is_an_error():
    with pytest.raises(UsageError, match=r"^There is no record of 'emission'"):
        written(page("emission", "emission"), {})
    with pytest.raises(UsageError, match=r"^The record of 'emission' has no table 'other'$"):
        written(page("emission", "other"), {"emission": Record()})
