"""Boards on the command line: what is listed, and a board of the user's own."""

import json
import shlex
from pathlib import Path

import pytest

from lutformer.boards.board import board, boards
from lutformer.families import family_of
from lutformer.model.config.presets import PRESETS
from lutformer.model.config.transformer import BlockConfig
from lutformer.model.hamming_attention import HammingAttention
from lutformer.model.network.transformer import Transformer
from lutformer.model.network.weightless_classifier import WeightlessClassifier
from lutformer.model.weightless_mlp import WeightlessMlp
from lutformer.planning import plan_for, shortage
from lutformer.testing.random_classifier import random_classifier
from lutformer.workspace import Workspace

MINE = """
from lutformer.boards.board import board

BOARD = board("icebreaker").model_copy(update={"name": "mine", "clock_hz": 24_000_000})
"""


@pytest.fixture
def few(monkeypatch):
    """Leave three of the presets, so that it does not take long."""
    names = ("digits", "fashion", "gpt-icebreaker")
    presets = {name: PRESETS[name] for name in names}
    monkeypatch.setattr("lutformer.model.config.presets.PRESETS", presets)
    return names


def test_boards_for_programs(cli, few):
    result = cli("boards", "--json")
    assert (result.code, result.err) == (0, "")
    record = {found["name"]: found for found in json.loads(result.out)["boards"]}
    assert set(record) == {found.name for found in boards()}
    icebreaker, hx8k = record["icebreaker"], record["hx8k_breakout"]
    assert icebreaker["budget"]["dsp"] == 8
    assert (icebreaker["pll"], hx8k["pll"]) == (False, True)
    assert icebreaker["wires"] == board("icebreaker").wires()
    assert icebreaker["targets"] == ["spi", "sram"]
    assert set(icebreaker["presets"]) == set(few)
    assert icebreaker["presets"]["digits"] == {"fits": True, "lacks": {}}
    assert not hx8k["presets"]["fashion"]["fits"]
    lacks = hx8k["presets"]["fashion"]["lacks"]["block memories"]
    assert lacks["needed"] > lacks["there"] == 32


def test_boards_for_people(cli, few):
    lines = cli("boards").out.splitlines()
    (row,) = [line for line in lines if line.startswith("tinyfpga_bx ")]
    assert row.split()[3:6] == ["iCE40LP8K", "7680", "32"]
    head = lines[lines.index("What fits, by estimate") + 1]
    (row,) = [line for line in lines if line.startswith("gpt-icebreaker ")]
    assert row[head.index("iCE40UP5K") :] == "fits"
    assert " of 32 block memories" in row


def test_random_classifier_has_the_shape_of_its_preset():
    config = PRESETS["dwn-digits"].model
    network = family_of(config).random_network(config)
    assert isinstance(network, WeightlessClassifier)
    assert [layer.luts for layer in network.layers] == [270]


@pytest.mark.parametrize("name", ["digits", "gpt-icebreaker"])
def test_random_transformer_has_the_shape_of_its_preset(name):
    shape = PRESETS[name].model
    network = family_of(shape).random_network(shape)
    assert isinstance(network, Transformer)
    assert isinstance(shape, BlockConfig)
    assert (network.width, len(network.blocks)) == (shape.dim, shape.depth)
    block = network.blocks[0]
    assert block.attention.heads == shape.heads
    assert isinstance(block.attention, HammingAttention)
    assert isinstance(block.mlp, WeightlessMlp)
    assert block.attention.code_bits == shape.code_bits
    assert [layer.luts for layer in block.mlp.layers] == list(shape.luts)
    assert network.head.kind == shape.weights


def test_what_lacks_is_what_the_planner_refuses():
    network = random_classifier(features=64, luts=(20_000,), repeat=0)
    assert shortage(network, board("ulx3s_85f")) == {}
    plan_for(network, "ulx3s_85f", None, core=False)
    lacks = shortage(network, board("icebreaker"))
    assert lacks
    assert all(needed > there for needed, there in lacks.values())


def test_board_of_a_user_goes_with_the_build_directory(cli, network_file):
    Path("mine.py").write_text(MINE)
    assert cli("generate", network_file, "--board", "mine.py", "-o", "own").code == 0
    Path("mine.py").unlink()
    found = Workspace(Path("own")).board()
    assert (found.name, found.clock_hz) == ("mine", 24_000_000)
    Path("own/mine").mkdir()
    Path("own/mine/top.bin").touch()
    assert cli("flash", "own", "--dry-run").out.rstrip().endswith("own/mine/top.bin")

    assert cli("generate", network_file, "--board", "icebreaker", "-o", "own").code == 0
    assert Workspace(Path("own")).board() == board("icebreaker")


def test_detection_is_told_before_it_is_done(cli, generated):
    result = cli("flash", generated, "--detect", "--dry-run")
    assert result.code == 0
    assert shlex.split(result.out)[1:] == ["--board", "ice40_generic", "--detect"]
