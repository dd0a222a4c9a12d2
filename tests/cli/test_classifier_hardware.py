"""Commands on a weightless classifier."""

import re

import pytest

from lutformer.errors import UsageError
from lutformer.generating import generate_verilog
from lutformer.model.network_file import save_network
from lutformer.model.random_classifier import random_classifier


@pytest.fixture
def network_file(tmp_path):
    path = tmp_path / "network.safetensors"
    save_network(random_classifier(), path)
    return path


def test_generate_writes_the_same_core_again(network_file, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text("rows = 2\n")
    texts = []
    for name in ("a", "b"):
        workspace, made = generate_verilog(
            network_file, "icebreaker", tmp_path / name, plan_file=plan, core=True
        )
        assert made.model_dump() == {"rows": 2, "fabric": "lut4"}
        assert workspace.network_file.read_bytes() == network_file.read_bytes()
        texts.append(workspace.core.read_text())
    assert texts[0] == texts[1]
    assert texts[0].startswith("// lutformer ")
    assert "module lutformer_core(" in texts[0]


def test_simulate_compares_counts_and_class(network_file, tmp_path, cli):
    generate_verilog(network_file, "icebreaker", tmp_path / "a", core=True)
    line = ("simulate", tmp_path / "a", "--frames", "20", "--simulator", "icarus")
    done = cli(*line)
    assert (done.code, done.err) == (0, "")
    assert "integers of 20 frames (random), 0 mismatches" in done.out
    core = tmp_path / "a" / "core.v"
    text = core.read_text()
    core.write_text(re.sub(r"16'h([0-9a-f]+) >> i__", r"16'h0 >> i__", text))  # empty tables
    assert core.read_text() != text
    done = cli(*line)
    assert done.code == 1
    assert re.search(r"of 80 integers .* first (class|counts)\[\d+", done.err)


def test_a_top_is_refused(network_file, tmp_path):
    with pytest.raises(UsageError, match=r"^A weightless classifier has no board top yet"):
        generate_verilog(network_file, "icebreaker", tmp_path / "a")


def test_fields_of_another_plan_are_refused(network_file, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text("lanes = 2\n")
    with pytest.raises(UsageError, match=r"known fields are rows, fabric$"):
        generate_verilog(network_file, "icebreaker", tmp_path / "a", plan_file=plan, core=True)
