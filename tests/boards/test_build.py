"""The way from Verilog to a bitstream, with the real tools."""

import json

import pytest

from lutformer.boards.board import board
from lutformer.boards.build import tools
from lutformer.boards.build.bitstream import build
from lutformer.boards.build.netlist import exceeded
from lutformer.errors import BuildFailed, DoesNotFit, TimingMissed, ToolMissing, UsageError

ICEBREAKER = board("icebreaker")
FAST = ICEBREAKER.model_copy(update={"clock_hz": 30_000_000})  # from the PLL
STICK = ICEBREAKER.model_copy(
    update={
        "name": "stick",
        "title": "a small board",
        "device": "iCE40HX1K",
        "platform": "amaranth_boards.icestick:ICEStickPlatform",
        "leds": (("led", 0), ("led", 1)),
        "nextpnr": ("--hx1k", "--package", "tq144"),
    }
)


@pytest.fixture
def top(tmp_path):
    """Return a writer of ``top.v``, in a directory with a space in its name."""
    directory = tmp_path / "a build"
    directory.mkdir()

    def write(verilog):
        (directory / "top.v").write_text(verilog)
        return directory / "top.v"

    return write


def run(tool, *arguments, cwd):
    log = cwd / "test.log"
    assert tools.call(tool, arguments, cwd=cwd, log=log) == 0, log.read_text()


def test_icebreaker(top, echo):
    path = top(echo)
    steps = []
    result = build(path, ICEBREAKER, path.parent, progress=lambda *step: steps.append(step))

    record = json.loads((path.parent / "build.json").read_text())
    assert record["resources"] == result.resources
    assert result.resources["ebr"] == 1
    assert result.resources["dsp"] == 1
    assert result.resources["spram"] == 0
    # 9 + 16 bits, 2 of the synchroniser, 1 + 8 of the reset; the product's register may move
    assert 36 <= result.resources["ff"] <= 40
    assert 36 <= result.resources["cells"] <= 80
    assert result.available == {"cells": 5280, "ebr": 30, "spram": 4, "dsp": 8}
    assert result.timing["clock_mhz"] == 12
    # The product is not registered in front of the DSP: some 20 ns that nextpnr does not see.
    assert 30 < result.timing["fmax_mhz"] < 60 < result.timing["nextpnr_mhz"] < 150
    assert set(result.versions) == {"yosys", "nextpnr-ice40", "icepack"}
    assert [name for name, seconds in steps if seconds is not None] == list(result.seconds)
    assert list(result.seconds) == ["synthesis", "place and route", "packing"]
    directory = path.parent / "icebreaker"
    names = {entry.name for entry in directory.iterdir()}
    assert {"top.json", "top.asc", "top.bin"} <= names
    assert {"synthesis.log", "route.log", "pack.log"} <= names
    assert not [name for name in names if name.endswith(".part")]

    # The source's path on this machine is not part of what is built.
    assert "wrapper.py" not in (directory / "top.il").read_text()

    # icepack accepts its own work again, to the byte.
    run("iceunpack", "top.bin", "again.asc", cwd=directory)
    run("icepack", "again.asc", "again.bin", cwd=directory)
    assert (directory / "again.bin").read_bytes() == (directory / "top.bin").read_bytes()
    assert result.bitstream == "icebreaker/top.bin"


def test_other_clock_comes_from_the_pll(top, echo):
    path = top(echo)
    result = build(path, FAST, path.parent)
    assert result.timing["clock_mhz"] == 30
    report = json.loads((path.parent / "icebreaker" / "report.json").read_text())
    assert report["utilization"]["ICESTORM_PLL"]["used"] == 1


def test_same_inputs_same_bitstream_and_no_second_build(top, echo, tmp_path):
    path = top(echo)
    first = build(path, ICEBREAKER, path.parent)
    elsewhere = build(path, ICEBREAKER, tmp_path / "elsewhere")
    assert elsewhere.bitstream_sha256 == first.bitstream_sha256
    assert not elsewhere.cached

    steps = []
    again = build(path, ICEBREAKER, path.parent, progress=lambda *step: steps.append(step))
    assert again.cached
    assert not steps
    assert again.resources == first.resources

    other = build(path, ICEBREAKER, path.parent, seed=2)
    assert not other.cached
    (path.parent / other.bitstream).write_bytes(b"damaged")
    assert not build(path, ICEBREAKER, path.parent, seed=2).cached


def test_too_large_names_the_numbers_and_the_largest(top, large):
    path = top(large)
    with pytest.raises(DoesNotFit) as caught:
        build(path, STICK, path.parent)
    error = caught.value
    cells, available = error.over["logic cells"]
    assert available == 1280 < cells
    assert error.over["block memories"] == (17, 16)
    assert next(iter(error.consumers["logic cells"].items())) == ("long", 1300)
    assert error.consumers["block memories"] == {"store": 17}
    assert str(error).startswith(
        f"The design does not fit a small board (iCE40HX1K): it needs {cells} of 1280 logic cells "
        "(long 1300, "
    )
    assert " and 17 of 16 block memories (store 17); use a smaller" in str(error)
    assert not (path.parent / "build.json").exists()


def test_exactly_full_fits():
    assert exceeded({"DSPs": (8, 8), "logic cells": (5281, 5280)}) == {"logic cells": (5281, 5280)}


def test_too_slow_leaves_no_result_of_an_earlier_build(top, slow):
    path = top(slow)
    build(path, ICEBREAKER, path.parent)
    with pytest.raises(TimingMissed) as caught:
        build(path, FAST, path.parent)
    error = caught.value
    assert 12 < error.fmax_mhz < error.clock_mhz == 30
    assert f"reaches {error.fmax_mhz:.2f} MHz" in str(error)
    assert error.path[0] == "heard"
    assert error.path[-1] == "total"
    assert "heard -> " in str(error)
    assert not (path.parent / "build.json").exists()
    left = {entry.name for entry in (path.parent / "icebreaker").iterdir()}
    assert not left & {"top.bin", "top.asc"}


@pytest.mark.parametrize(
    ("verilog", "reason"),
    [
        ("module lutformer_top(", "syntax error"),
        ("module other(input clk); endmodule\n", "lutformer_top"),
    ],
)
def test_bad_verilog_is_one_sentence(top, verilog, reason):
    path = top(verilog)
    with pytest.raises(BuildFailed, match=rf"^Yosys failed: .*ERROR: .*{reason}.*\.log'\)$"):
        build(path, ICEBREAKER, path.parent)


def test_no_verilog_is_one_sentence(tmp_path):
    with pytest.raises(
        UsageError, match=r"^No Verilog at '.*top\.v': run `lutformer generate` first$"
    ):
        build(tmp_path / "top.v", ICEBREAKER, tmp_path)


def test_missing_tool_is_one_sentence(top, echo, monkeypatch):
    path = top(echo)
    monkeypatch.setitem(tools.TOOLS, "yosys", tools.Tool("pyosys", "pyosys_that_is_not_there"))
    with pytest.raises(ToolMissing, match=r"^Not installed: yosys; run `pip install pyosys`$"):
        build(path, ICEBREAKER, path.parent)
    assert not (path.parent / "icebreaker").exists()


def test_ulx3s(top, echo):
    path = top(echo)
    result = build(path, board("ulx3s_85f"), path.parent)
    assert result.resources["dsp"] == 1
    assert result.timing["clock_mhz"] == 50
    assert result.timing["fmax_mhz"] > 100
    directory = path.parent / "ulx3s_85f"
    report = json.loads((directory / "report.json").read_text())
    assert report["utilization"]["EHXPLLL"]["used"] == 1

    run("ecpunpack", "--input", "top.bit", "--textcfg", "again.config", cwd=directory)
    run("ecppack", "--compress", "--input", "again.config", "--bit", "again.bit", cwd=directory)
    assert (directory / "again.bit").read_bytes() == (directory / "top.bit").read_bytes()
