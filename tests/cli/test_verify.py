"""Proving a build directory by the command line."""

import json
import re
from typing import Any

import numpy as np
import pytest

from lutformer.generating import generate_verilog
from lutformer.model.network.network_file import load_network, load_vit, save_network
from lutformer.model.network.weightless_classifier import WeightlessClassifier
from lutformer.testing.random_classifier import random_classifier
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.testing.random_network import NetworkShape, random_network


def test_verify_records_what_it_proved(cli, generated):
    result = cli("verify", generated)
    assert (result.code, result.err) == (0, "")
    claims = json.loads((generated / "verify.json").read_text())["claims"]
    *layers, board = claims
    assert {claim["part"] for claim in layers} == {"blocks.0.mlp.layers.0"}
    assert [claim["claim"].rpartition(" == ")[2] for claim in layers] == ["tables", "tables"]
    assert all(claim["shown"] for claim in layers)
    assert "proof, every input" in result.out
    assert board["part"] == "icebreaker/top.json"
    assert not board["shown"]
    assert board["result"].startswith("skipped: there is no netlist of this Verilog: run ")


def test_one_wrong_bit_is_named(cli, generated):
    """The Verilog stays, the network beside it changes by one entry of a table."""
    network = load_vit(generated / "network.safetensors")
    mlp: Any = network.blocks[0].mlp
    layer = mlp.layers[0]
    tables = np.array(layer.tables)
    tables[3, 1] ^= 1
    object.__setattr__(layer, "tables", tables)
    save_network(network, generated / "network.safetensors")
    result = cli("verify", generated)
    assert result.code == 1
    assert "of blocks.0.mlp.layers.0 (lutformer_core.mlp.luts0_0) is not what" in result.sentence
    assert f"LUT 3 gives {1 - tables[3, 1]} at address 1, its table" in result.sentence
    assert not (generated / "verify.json").exists()


ALONE = {
    "a decoder": random_gpt(GptShape(heads=2, dim=12, depth=2, luts=(20, 16))),
    "an image of one token": random_network(NetworkShape(height=2, width=2, luts=(20,))),
}


@pytest.fixture(params=ALONE)
def alone(request, tmp_path):
    """Return the core of a network whose tokens come one at a time; its layers are not held."""
    save_network(ALONE[request.param], tmp_path / "alone.safetensors")
    workspace, _ = generate_verilog(
        tmp_path / "alone.safetensors", "ulx3s_85f", tmp_path / "alone", core=True
    )
    return workspace


def test_layers_of_lone_tokens_are_proven(cli, alone):
    result = cli("verify", alone.path)
    assert (result.code, result.err) == (0, "")
    *layers, board = json.loads(alone.verification.read_text())["claims"]
    blocks: Any = alone.stored_network().blocks
    names = [
        f"blocks.{n}.mlp.layers.{d}"
        for n, block in enumerate(blocks)
        for d in range(len(block.mlp.layers))
    ]
    assert [claim["part"] for claim in layers] == [name for name in names for _ in range(2)]
    assert all(claim["shown"] for claim in layers)
    assert not board["shown"]


def test_one_wrong_bit_of_a_lone_token_is_named(cli, alone):
    network: Any = alone.stored_network()
    mlp = network.blocks[-1].mlp
    depth = len(mlp.layers) - 1
    tables = np.array(mlp.layers[depth].tables)
    tables[3, 1] ^= 1
    object.__setattr__(mlp.layers[depth], "tables", tables)
    save_network(network, alone.network_file)
    result = cli("verify", alone.path)
    assert result.code == 1
    place = f"blocks.{len(network.blocks) - 1}.mlp.layers.{depth}"
    assert f" of {place} (lutformer_core." in result.sentence
    assert f"LUT 3 gives {1 - tables[3, 1]} at address 1, its table" in result.sentence


@pytest.fixture
def core(tmp_path):
    """Return a build directory with the core of a small weightless classifier."""
    save_network(random_classifier(), tmp_path / "classifier.safetensors")
    workspace, _ = generate_verilog(
        tmp_path / "classifier.safetensors", "icebreaker", tmp_path / "core", core=True
    )
    return workspace


def test_a_classifier_is_proven_as_a_whole(cli, core):
    result = cli("verify", core.path)
    assert (result.code, result.err) == (0, "")
    claims = json.loads(core.verification.read_text())["claims"]
    assert [claim["claim"] for claim in claims] == [
        "every register moves with the samples, and holds with them",
        "Verilog == network",
        "netlist of the core alone (ecp5) == Verilog",
        "netlist of the core alone (ice40) == Verilog",
    ]
    assert all(claim["shown"] for claim in claims)
    assert claims[1]["result"] == "20 LUTs, 3 classes, as a whole"


def test_one_wrong_bit_of_a_classifiers_network_is_found(cli, core):
    network = load_network(core.network_file)
    assert isinstance(network, WeightlessClassifier)
    tables = np.array(network.layers[0].tables)
    tables[3, 1] ^= 1
    object.__setattr__(network.layers[0], "tables", tables)
    save_network(network, core.network_file)
    result = cli("verify", core.path)
    assert result.code == 1
    assert re.search(
        r"core\.v' is not what was trained: counts\[0\] of the sample [\d ]+ is (\d), by the "
        r"network (?!\1)\d$",
        result.sentence,
    )
    assert not core.verification.exists()


def test_one_wrong_bit_of_a_cores_verilog_is_found(cli, core):
    text = core.core.read_text()
    table = re.search(r"16'h([0-9a-f]{4}) >> ", text)
    assert table is not None
    wrong = f"{int(table[1], 16) ^ 1:04x}"
    core.core.write_text(text[: table.start(1)] + wrong + text[table.end(1) :])
    result = cli("verify", core.path)
    assert result.code == 1
    assert "core.v' is not what was trained: " in result.sentence
