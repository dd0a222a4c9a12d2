"""A folded classifier of 4 layers of 512 tables fits the iCEBreaker, link and all."""

import numpy as np
import pytest

from lutformer.boards.board import board
from lutformer.boards.build.bitstream import build
from lutformer.hdl.core.generate_classifier import generate_classifier
from lutformer.hdl.planner.classifier_planner import make_classifier_plan
from lutformer.model.lut_layer import LutLayer
from lutformer.model.network.lut_pruning import prune
from lutformer.model.network.weightless_classifier import FeatureEncoder, WeightlessClassifier

LAYERS, LUTS, FAN_IN, FEATURES = 4, 512, 4, 64


def network():
    """Return a classifier of which every table and every bit matters."""
    rng = np.random.default_rng(0)
    layers = []
    for _ in range(LAYERS):
        mapping = np.stack([rng.permutation(LUTS) for _ in range(FAN_IN)], axis=1)
        tables = rng.integers(0, 2, (LUTS, 1 << FAN_IN))
        layers.append(LutLayer(inputs=LUTS, mapping=mapping, tables=tables))
    thresholds = np.sort([rng.permutation(255)[: LUTS // FEATURES] for _ in range(FEATURES)])
    return WeightlessClassifier(
        class_names=tuple(map(str, range(10))),
        encoder=FeatureEncoder(thresholds=thresholds, bits=8, signed=False),
        layers=tuple(layers),
    )


@pytest.mark.slow
def test_four_layers_of_512_tables_are_routed(tmp_path):
    chip, large = board("icebreaker"), network()
    pruned = prune(large)
    assert [len(layer) for layer in pruned.layers] == [LUTS] * LAYERS
    plan = make_classifier_plan(large, chip, {"lanes": 1})
    verilog = generate_classifier(large, plan, tmp_path)
    result = build(verilog, chip, tmp_path)  # refuses what does not fit or is too slow
    assert result.resources["cells"] <= chip.budget.luts
    assert result.resources["ebr"] <= chip.budget.ebr
    assert result.timing["fmax_mhz"] >= chip.clock_hz / 1e6
    print(result.resources, result.timing, result.seconds)  # shown by `pytest -s`
