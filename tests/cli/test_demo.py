"""The demonstration: every step once, and again only what has changed."""

import json
import re

import pytest

from lutformer.demonstration import demonstration_steps
from lutformer.steps import run_step

NAMES = (
    "train the float twin",
    "train the network",
    "export the network",
    "generate the Verilog",
    "simulate the Verilog",
    "build the bitstream",
    "ask the virtual board",
)


def steps(directory, **changes):
    options = {"preset": "tiny", "board": "icebreaker", "frames": 3} | changes
    return {step.name: step for step in demonstration_steps(directory, **options)}


def test_the_way_in_its_order(tmp_path):
    assert tuple(steps(tmp_path)) == NAMES


def test_later_steps_follow_earlier_ones(tmp_path):
    """Train, export and generate; then spoil files and see which steps run again."""
    first = list(steps(tmp_path).values())[:4]

    def skipped() -> list[bool]:
        return [run_step(step, tmp_path / "steps").skipped for step in first]

    assert skipped() == [False] * 4
    assert skipped() == [True] * 4
    (tmp_path / "plan.json").unlink()
    assert skipped() == [True, True, True, False]
    (tmp_path / "training" / "twin.json").write_text("{}")
    again = skipped()
    assert again[:2] == [False, True], "only the twin is trained again"
    assert skipped() == [True] * 4


def test_options_decide_keys(tmp_path):
    made = steps(tmp_path)
    for name in ("network.safetensors", "top.v", "plan.json"):
        (tmp_path / name).write_text(name)
    key = {name: made[name].key() for name in NAMES[3:]}
    other = steps(tmp_path, board="ulx3s_85f")
    assert other["generate the Verilog"].key() != key["generate the Verilog"]
    assert other["build the bitstream"].key() != key["build the bitstream"]
    more = steps(tmp_path, frames=4)
    assert more["simulate the Verilog"].key() != key["simulate the Verilog"]
    assert more["build the bitstream"].key() == key["build the bitstream"]
    (tmp_path / "top.v").write_text("other")
    for name in NAMES[4:]:
        assert made[name].key() != key[name], name


@pytest.mark.slow  # place and route
def test_all_of_it_twice(cli, tmp_path):
    words = ("demo", "--preset", "tiny", "--frames", "4", "-o", "with space/demo")
    first = cli(*words)
    assert first.code == 0, first.err
    assert [line for line in first.out.splitlines() if re.match(r"\d/7 ", line)] == [
        f"{number}/7 {name}" for number, name in enumerate(NAMES, start=1)
    ]
    assert first.out.count("(unchanged") == 0
    report = json.loads((tmp_path / "with space/demo/report.json").read_text())
    for section in ("accuracy", "golden", "exact", "cycles", "resources", "timing", "virtual"):
        assert None not in report[section].values(), section
    mismatches = [report[name]["mismatches"] for name in ("golden", "exact", "virtual")]
    assert mismatches == [0, 0, 0]
    assert report["exact"]["frames"] == 4
    assert report["virtual"]["cycles"] == report["cycles"]["per_inference"]
    second = cli(*words)
    assert second.code == 0
    assert second.out.count("(unchanged") == len(NAMES)
