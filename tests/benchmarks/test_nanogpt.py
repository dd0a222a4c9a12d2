"""The rows of the benchmark are of the networks that they name, trained once."""

import pytest

from benchmarks.nanogpt import ROWS, measured
from lutformer.model.config.gpt import GptConfig
from lutformer.model.config.presets import preset
from lutformer.model.data.text import load_text

POEM = "Tiger, tiger, burning bright\nin the forests of the night\n" * 20


def test_rows_have_one_shape_and_budget():
    large = [ROWS[name].scaled(full=True) for name in ROWS if name != "gpt-icebreaker"]
    assert {recipe.epochs * recipe.interval for _, recipe in large} == {2000}
    assert {recipe.batch for _, recipe in large} == {12}
    configs = [config for config, _ in large]
    assert {(c.dim, c.depth, c.heads, c.block_size) for c in configs} == {(128, 4, 4, 64)}
    assert ROWS["gpt-ulx3s"].config == preset("gpt-ulx3s").model
    for name in ("ternary", "int8"):
        twin = ROWS[name].config.float_twin()
        assert twin == ROWS["float lr 0.003"].config
        assert twin.alibi


@pytest.mark.parametrize("name", ["ternary, no positions", "float lr 0.003"])
def test_a_row_is_trained_once(name, tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text(POEM)
    text = load_text(path)
    row = measured(name, text, 1, tmp_path, full=False)
    assert row["network"] == name
    assert row["seed"] == 1
    assert 0 < row["best"] <= row["loss"] < 3
    config: GptConfig = ROWS[name].config
    assert (row["reading on"] is not None) == (config.positions == "none" and config.exact)
    (checkpoint,) = tmp_path.glob("*/checkpoint.safetensors")
    checkpoint.unlink()
    assert measured(name, text, 1, tmp_path, full=False) == row
    assert not checkpoint.exists()
