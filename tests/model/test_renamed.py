"""Former names: what users have goes on working, with one line of notice."""

from dataclasses import replace

import pytest

from lutformer.errors import UsageError
from lutformer.hdl.plan.plan import Plan, read_overrides
from lutformer.model.config.presets import PRESETS
from lutformer.model.config.transformer import VitConfig
from lutformer.model.hamming_attention import HammingAttention
from lutformer.model.network.network_file import load_vit, save_network
from lutformer.model.storage.renamed import OPTIONS, PLAN, present_names
from lutformer.settings import parse
from lutformer.testing.random_network import NetworkShape, random_network


def test_configurations_of_former_checkpoints(caplog):
    config = VitConfig(height=4, width=4, top_k=3, alibi=True)
    former = {name: former for former, name in OPTIONS.items()}
    values = {former.get(name, name): value for name, value in config.to_dict().items()}
    assert VitConfig.from_dict(values) == config
    assert sorted(record.getMessage() for record in caplog.records) == [
        "Note: keep is called top_k now; the former name still works",
        "Note: penalty is called alibi now; the former name still works",
    ]


def test_set_on_the_command_line(caplog):
    assert parse(["keep=2", "alibi=true"], PRESETS["tiny"]) == {"top_k": 2, "alibi": True}
    assert len(caplog.records) == 1


def test_plans(tmp_path, caplog):
    file = tmp_path / "plan.toml"
    file.write_text("rows = 2\ninputs = 8\nnarrow = true\nstored = true\n")
    present = {"out_lanes": 2, "in_lanes": 8, "two_cycle_multiply": True, "external_weights": True}
    assert read_overrides(file) == present
    assert Plan.model_validate_json('{"rows": 2}') == Plan(out_lanes=2)
    assert len(caplog.records) == len(PLAN) + 1


def test_both_names_at_once(tmp_path):
    with pytest.raises(ValueError, match=r"^top_k is given twice: its former name is keep$"):
        present_names({"keep": 1, "top_k": 2}, OPTIONS, ["top_k"])
    file = tmp_path / "plan.toml"
    file.write_text("rows = 2\nout_lanes = 2\n")
    with pytest.raises(UsageError, match="out_lanes is given twice: its former name is rows"):
        read_overrides(file)


def test_a_former_name_that_is_a_field_of_something_else(caplog):
    assert present_names({"rows": 1}, PLAN, ["rows", "lanes"]) == {"rows": 1}
    assert not caplog.records


def test_network_files_keep_their_keys_and_hashes(tmp_path):
    """The hash goes into bitstreams: renaming a field must not change it."""
    network = random_network(NetworkShape(top_k=2, alibi=True))
    assert {"keep", "penalty"} < set(HammingAttention.keys())
    save_network(network, tmp_path / "network.safetensors")
    again = load_vit(tmp_path / "network.safetensors")
    assert again.hash == network.hash
    (block,) = again.blocks
    assert isinstance(block.attention, HammingAttention)
    assert (block.attention.top_k, block.attention.alibi.any()) == (2, True)
    other = replace(block.attention, top_k=1)
    assert replace(again, blocks=(replace(block, attention=other),)).hash != network.hash
