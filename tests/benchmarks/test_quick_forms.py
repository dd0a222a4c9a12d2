"""Every benchmark can be run: its options, and (slow) its quick form to the end."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks
from benchmarks.bars import Bar, json_text

ROOT = Path(__file__).parents[2]
NAMES = sorted(
    found.name
    for found in pkgutil.iter_modules(benchmarks.__path__)
    if not found.ispkg
    and found.name != "__main__"
    and '__name__ == "__main__"' in (ROOT / "benchmarks" / f"{found.name}.py").read_text()
)
SECONDS = 600
"""For a quick form, on a busy machine."""


def test_all_are_found():
    assert {"attention", "mlp", "boards", "weightless", "planted_faults"} <= set(NAMES)
    assert len(NAMES) >= 15


@pytest.mark.parametrize("name", NAMES)
def test_quick_by_default_and_full_on_demand(name, capsys):
    with pytest.raises(SystemExit) as done:
        importlib.import_module(f"benchmarks.{name}").main(["--help"])
    assert not done.value.code
    text = capsys.readouterr().out
    assert "--full" in text
    assert "--json" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_quick_form(name, tmp_path):
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--json"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert {"rows", "figures"} <= set(found)
    for row in found["rows"]:
        (kind,) = set(row) & {"at_least", "at_most"}
        assert set(row) == {"name", "value", kind, "met"}
        right = row["value"] >= row[kind] if kind == "at_least" else row["value"] <= row[kind]
        assert row["met"] == right


def test_a_bar_has_one_limit():
    assert Bar(name="a", value=1, at_least=1).met
    assert not Bar(name="a", value=1.5, at_most=1).met
    for limits in ({}, {"at_least": 1, "at_most": 2}):
        with pytest.raises(ValueError, match=r"^a: a bar has one limit$"):
            Bar(name="a", value=1, **limits)


def test_json_of_bars():
    found = json.loads(json_text([Bar(name="a", value=1, at_most=2)], [3], more=4))
    row = {"name": "a", "value": 1, "at_most": 2, "met": True}
    assert found == {"rows": [row], "figures": [3], "more": 4}
