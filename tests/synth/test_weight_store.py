"""Stored weights lie in the iCE40 UP's large memories, and nowhere else."""

import json

from lutformer.boards.board import board
from lutformer.boards.build import netlist, tools
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.transformer.weight_store import WeightStore


def test_four_large_memories_hold_a_store(tmp_path):
    (tmp_path / "store.v").write_text(emit(WeightStore(64, [10_000, 6_000, 384]), top="store"))
    chip = board("icebreaker")
    (tmp_path / "run.ys").write_text(
        f"read_verilog store.v\nsynth_ice40 {' '.join(chip.synth)} -top store\n"
        "tee -q -o stat.json stat -json\n"
    )
    assert tools.call("yosys", ["run.ys"], cwd=tmp_path, log=tmp_path / "yosys.log") == 0
    cells = netlist.cells(json.loads((tmp_path / "stat.json").read_text()), chip)
    assert (cells["spram"], cells["ebr"]) == (chip.budget.spram, 0)
    assert cells["lut4"] < 200
