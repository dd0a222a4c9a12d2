"""Proving a build directory by the command line."""

import json
from typing import Any

import numpy as np

from lutformer.model.network import load
from lutformer.model.network_file import save_network


def test_verify_records_what_it_proved(cli, generated):
    result = cli("verify", generated)
    assert (result.code, result.err) == (0, "")
    claims = json.loads((generated / "verify.json").read_text())["claims"]
    assert {claim["part"] for claim in claims} == {"blocks.0.mlp.layers.0"}
    assert [claim["claim"].rpartition(" == ")[2] for claim in claims] == ["tables", "tables"]
    assert "proof, every input" in result.out


def test_one_wrong_bit_is_named(cli, generated):
    """The Verilog stays, the network beside it changes by one entry of a table."""
    network = load(generated / "network.safetensors")
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
