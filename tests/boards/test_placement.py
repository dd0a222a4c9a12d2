"""A build's cells, by module, place and memory: of small designs, made by hand and built."""

import json

import pytest

from lutformer.boards.board import board
from lutformer.boards.build.bitstream import PLACES, build
from lutformer.boards.build.floorplan import Cell, floorplan
from lutformer.boards.build.hierarchy import Hierarchy, engine
from lutformer.boards.build.memory_map import memory_map
from lutformer.boards.build.netlist import by_module
from lutformer.boards.build.placement import keep_places, read_places
from lutformer.boards.build.timing import read_delays, read_timing

BOARDS = ["icebreaker", pytest.param("ulx3s_85f", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=BOARDS)
def echoed(request, tmp_path_factory, echo):
    """Return a board, the folder of its build of a memory and a multiplier, and the result."""
    chip, folder = board(request.param), tmp_path_factory.mktemp("echo")
    (folder / "top.v").write_text(echo)
    result = build(folder / "top.v", chip, folder)
    return chip, folder / chip.name, result


def test_every_cell_has_a_module_and_a_place(echoed):
    chip, folder, result = echoed
    hierarchy = Hierarchy(folder / "top.json")
    modules = by_module(hierarchy, chip)
    for kind in ("lut4", "ff", "ebr", "dsp"):
        assert sum(cells[kind] for cells in modules.values()) == result.resources[kind], kind
    assert (modules["link"]["ebr"], modules["link"]["dsp"]) == (1, 1)  # it has no submodules
    cells = list(floorplan(read_places(folder / PLACES), hierarchy))
    logic = [cell for cell in cells if cell.slot is not None and not cell.ff]
    assert len(logic) == result.resources["cells"]
    assert {cell.module for cell in cells if cell.slot is None} == {"link"}
    sites = [(cell.x, cell.y, cell.slot, cell.ff) for cell in cells if cell.slot is not None]
    assert len(sites) == len(set(sites))
    assert not (folder / "routed.json").exists()


def test_its_memory_is_known(echoed):
    chip, folder, _ = echoed
    netlist = Hierarchy(folder / "top.json")
    (memory,) = memory_map((folder / "lutformer_top.v").read_text(), chip, netlist)
    assert (memory.name, memory.width, memory.depth) == ("line", 1, 512)
    assert (memory.blocks, memory.taken_bits, memory.large) == (1, chip.budget.ebr_bits, False)


def test_delays_are_those_of_the_report(echoed):
    chip, folder, result = echoed
    timing = read_timing(folder / "report.json", folder / "top.json", chip)
    whole = sum(part.logic_ns + part.routing_ns for part in timing.parts)
    assert whole == pytest.approx(1000 / result.timing["fmax_mhz"], rel=1e-3)
    delays = read_delays(folder / "report.json")
    assert len(delays) >= 30
    assert min(delays) > 0
    assert max(delays) < 1000 / result.timing["nextpnr_mhz"] * 1.1


def test_tools_and_their_options_are_recorded(echoed):
    chip, _, result = echoed
    assert result.commands[0] == "yosys top.ys"
    assert result.commands[1].startswith(f"nextpnr-{chip.family} ")
    assert "--seed 1" in result.commands[1]
    assert len(result.commands) == 3


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("core.matvec.requantize", "matvec"),
        ("core.decoder.attention", "attention"),
        ("core.decoder", "control"),
        ("core", "control"),
        ("link.crc", "link"),
        ("receiver", "link"),
        ("board", "board"),
    ],
)
def test_engine_of_a_module(module, expected):
    assert engine(module) == expected


def test_a_cell_belongs_to_the_innermost_module_of_its_name(tmp_path):
    names = ["lutformer_top", "lutformer_top.core", "lutformer_top.core.mlp", "pll_part"]
    cells = {name: {"type": "$scopeinfo"} for name in names}
    (tmp_path / "top.json").write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    module = Hierarchy(tmp_path / "top.json").module
    assert module("lutformer_top.core.mlp.sum_SB_LUT4_O") == "core.mlp"
    assert module("lutformer_top.core.mlp__payload_SB_DFF_Q") == "core"
    assert module("lutformer_top.core.mlp2.x") == "core"
    assert module("lutformer_top.led_SB_DFF_Q") == "link"
    assert module("pll_part.x") == "board"


def test_sites_of_both_families(tmp_path):
    cells = {"lutformer_top": {"type": "$scopeinfo"}}
    (tmp_path / "top.json").write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    sites = {
        "a": "X3/Y4/lc7",
        "b": "X5/Y6/SLICEC.FF1",
        "c": "X5/Y6/SLICED.K0",
        "d": "X6/Y1/ram",
        "e": "X9/Y2/EBR0",
        "f": "X0/Y1/mac16_5",
        "g": "X0/Y1/io0",
    }
    found = list(floorplan(sites, Hierarchy(tmp_path / "top.json")))
    assert found == [
        Cell(module="board", x=3, y=4, slot=7),
        Cell(module="board", x=5, y=6, slot=5, ff=True),
        Cell(module="board", x=5, y=6, slot=6),
        Cell(module="board", x=6, y=1, slot=None),
        Cell(module="board", x=9, y=2, slot=None),
        Cell(module="board", x=0, y=1, slot=None),
    ]


def test_cells_without_a_place_are_not_kept(tmp_path):
    cells = {"a": {"attributes": {"NEXTPNR_BEL": "X1/Y2/lc0"}}, "b": {"attributes": {}}}
    (tmp_path / "routed.json").write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    keep_places(tmp_path / "routed.json", tmp_path / "placement.json")
    assert read_places(tmp_path / "placement.json") == {"a": "X1/Y2/lc0"}


def test_memories_without_a_netlist():
    verilog = (
        "module \\lutformer_core.a (x);\n  reg [7:0] \\table  [15:0];\n  reg bits [3:0];\n"
        "  reg [3:0] no_memory;\nendmodule\n"
    )
    found = [(m.name, m.width, m.depth, m.blocks, m.taken_bits) for m in memory_map(verilog)]
    assert found == [("core.a.table", 8, 16, None, None), ("core.a.bits", 1, 4, None, None)]
