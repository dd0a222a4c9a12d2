"""A folded network of 4 layers of 512 tables fits the iCEBreaker's chip."""

import json

import numpy as np
import pytest

from lutformer.boards import netlist, tools
from lutformer.boards.board import board
from lutformer.hdl.folded_lut_layers import FoldedLutLayers
from lutformer.hdl.verilog import emit
from lutformer.model.lut_layer import LutLayer

LAYERS, LUTS, FAN_IN = 4, 512, 4


@pytest.mark.slow
def test_four_layers_of_512_tables_fit(tmp_path):
    rng = np.random.default_rng(0)
    layers = [
        LutLayer(
            inputs=LUTS,
            mapping=rng.integers(0, LUTS, (LUTS, FAN_IN)),
            tables=rng.integers(0, 2, (LUTS, 1 << FAN_IN)),
        )
        for _ in range(LAYERS)
    ]
    (tmp_path / "folded.v").write_text(emit(FoldedLutLayers(layers, lanes=1), top="folded"))
    chip = board("icebreaker")
    (tmp_path / "run.ys").write_text(
        f"read_verilog folded.v\nsynth_ice40 {' '.join(chip.synth)} -top folded\n"
        "tee -q -o stat.json stat -json\n"
    )
    assert tools.call("yosys", ["run.ys"], cwd=tmp_path, log=tmp_path / "yosys.log") == 0
    cells = netlist.cells(json.loads((tmp_path / "stat.json").read_text()), chip)
    assert cells["ebr"] <= chip.budget.ebr
    assert cells["lut4"] + cells["ff"] <= chip.budget.luts  # even if no cell holds both
