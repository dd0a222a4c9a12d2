"""Reports: documented keys, figures from the records of this very Verilog and no other."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from lutformer.generating import generate_verilog
from lutformer.hdl.planner.bound import bound
from lutformer.invocation import invoked
from lutformer.model.costs.accounting import account, baseline, total
from lutformer.model.costs.operations import Operations
from lutformer.model.data.text import load_text
from lutformer.model.network.network_file import load_vit, save_network
from lutformer.model.network.text_loss import endless_loss, golden_loss
from lutformer.report.figures import Cycles, Report, figures, obtained
from lutformer.report.page import engine_rows, layers, tree
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.workspace import Workspace

DOCS = Path(__file__).parents[2] / "docs" / "report.md"
REQUIRED = {
    "accuracy": {"float", "integer", "images"},
    "exact": {"frames", "integers", "mismatches"},
    "cycles": {"per_inference", "bound", "ratio"},
    "resources": {"lut4", "ff", "ebr", "spram", "dsp"},
    "timing": {"fmax_mhz", "clock_mhz"},
    "operations": {"multiplications", "additions", "bit_operations", "memory_bits", "energy_pj"},
    "removed": {"mlp_share"},
    "baseline": {"multiplications", "additions", "bit_operations", "memory_bits", "energy_pj"},
}


@pytest.fixture
def workspace(generated) -> Workspace:
    return Workspace(generated)


def read(cli, workspace: Workspace) -> dict:
    result = cli("report", workspace.path, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.out == workspace.report_json.read_text()
    return json.loads(result.out)


def test_required_keys_are_always_there(cli, workspace):
    report = read(cli, workspace)
    for section, keys in REQUIRED.items():
        assert keys <= set(report[section]), section
    assert report["schema"] == 1
    assert {"lutformer", "python", "torch", "amaranth"} <= set(report["versions"])
    assert report["network"] == load_vit(workspace.network_file).hash


def test_every_key_is_documented_in_the_same_words():
    rows = re.findall(r"^\| `([a-z_.0-9]+)` \| (.*?) \| ?(.*?) ?\|$", DOCS.read_text(), re.M)
    documented = {key: how for key, _, how in rows if "." in key}
    known = {key: how for key, _, _, how in figures(Report(name="", network="", versions={}))}
    assert list(documented) == list(known)
    for key, how in known.items():
        assert documented[key].startswith(how.partition(" (")[0].partition(",")[0]), key
    assert {key for key, *_ in rows if "." not in key} == {
        field.alias or name
        for name, field in Report.model_fields.items()
        if not any(key.startswith(f"{name}.") for key in known)
    }


def test_what_was_not_run_is_null(cli, workspace):
    report = read(cli, workspace)
    assert set(report["exact"].values()) == {None}
    assert set(report["resources"].values()) == {None}
    assert set(report["accuracy"].values()) == {None}
    assert report["cycles"]["per_inference"] is None
    assert report["cycles"]["bound"] == max(report["cycles"]["engines"].values())
    assert {key for key, value in report["timing"].items() if value} == {"clock_mhz"}
    assert set(report["activity"].values()) == {None}
    assert report["profile"] is None


def test_records_become_figures(cli, workspace, simulated, built):
    simulated(workspace)
    built(workspace)
    report = read(cli, workspace)
    assert report["exact"] == {"frames": 7, "integers": 700, "mismatches": 0}
    assert report["cycles"]["per_inference"] == 1000
    assert report["cycles"]["ratio"] == round(1000 / report["cycles"]["bound"], 4)
    assert report["resources"]["lut4"] == 11
    assert report["resources"]["available"]["cells"] == 5280
    assert report["timing"]["fmax_mhz"] == 15.25
    assert [part["signal"] for part in report["timing"]["path"]] == ["core.matvec.sum", "core.x"]
    assert report["timing"]["delays"] == {"0": 0, "2": 2, "4": 0, "6": 1}
    assert report["resources"]["modules"]["core.matvec"] == {"lut4": 1, "ebr": 1}
    weights = next(m for m in report["memories"]["map"] if m["name"] == "core.matvec.weights")
    assert (weights["blocks"], weights["taken_bits"]) == (1, 4096)
    assert report["memories"]["in_blocks"] == weights["width"] * weights["depth"]
    assert report["speed"] == {"at_fmax": 15250.0, "at_clock": 12000.0}


def test_proofs_of_this_very_verilog(cli, workspace):
    claims = [
        {
            "part": "blocks.0.mlp.layers.0",
            "claim": "Verilog == tables",
            "method": "proof, every input",
            "result": "32 LUTs",
            "seconds": 2.5,
            "shown": True,
        },
        {
            "part": "icebreaker/top.json",
            "claim": "netlist == Verilog at word level",
            "method": "",
            "result": "skipped: there is no netlist",
            "seconds": 0.0,
            "shown": False,
        },
    ]
    record = {
        "verilog": hashlib.sha256(workspace.verilog.read_bytes()).hexdigest(),
        "network": load_vit(workspace.network_file).hash,
        "claims": claims,
    }
    workspace.write(workspace.verification, record)
    assert read(cli, workspace)["claims"] == claims
    page = workspace.report_html.read_text()
    assert "Nothing has been proved" not in page
    assert "skipped: there is no netlist" in page
    assert "1 shown, 1 skipped" in page
    for change in ({"verilog": "0"}, {"network": "0"}):
        workspace.write(workspace.verification, record | change)
        assert read(cli, workspace)["claims"] is None
        assert "Nothing has been proved" in workspace.report_html.read_text()


def test_operations_are_counted_without_any_record(cli, workspace):
    report = read(cli, workspace)
    network = load_vit(workspace.network_file)
    for name, items in (("operations", account(network)), ("baseline", baseline(network))):
        found, expected = report[name], total(items)
        assert found["multiplications"] == expected.multiplications > 0
        assert found["additions"] == expected.additions
        assert found["bit_operations"] == expected.bits
        assert found["memory_bits"] == expected.memory_bits
        assert found["energy_pj"] == round(expected.energy_pj, 2)
        assert found["energy_fp32_pj"] == round(expected.energy_fp32_pj, 2)
        assert report["obtained"][f"{name}.multiplications"].startswith("derived")
        assert report["obtained"][f"{name}.energy_pj"].startswith("estimated")
        assert report["obtained"][f"{name}.energy_fp32_pj"].startswith("estimated")


def test_operations_stand_beside_the_baseline(cli, workspace):
    out = cli("report", workspace.path).out
    network = load_vit(workspace.network_file)
    ours, theirs = total(account(network)), total(baseline(network))
    beside = f"{ours.multiplications:,} (int8 baseline {theirs.multiplications:,})"
    assert re.search(rf"^multiplications +{re.escape(beside)}$", out, re.M)
    page = workspace.report_html.read_text()
    assert beside in page
    for name in account(network) | baseline(network):
        assert f"<code>{name}</code>" in page


def test_layers_of_both_networks_are_rows():
    one = Operations(mul8=1000, add32=2, bits=3, weight_bits=4)
    rows = layers({"a.x": one, "b": one}, {"a.y": one, "b": one, "c": one})
    cells, none = ["1,000", "2", "3", "4", "200"], [""] * 5
    assert [(row["name"], row["cells"]) for row in rows] == [
        ("a.x", [cells, none]),
        ("a.y", [none, cells]),
        ("b", [cells, cells]),
        ("c", [none, cells]),
        ("total", [["2,000", "4", "6", "8", "401"], ["3,000", "6", "9", "12", "601"]]),
    ]


def test_each_figure_says_how_it_was_obtained(cli, workspace, simulated):
    simulated(workspace)
    report = read(cli, workspace)
    found = {
        f"{section}.{key}"
        for section, values in report.items()
        if isinstance(values, dict)
        and section not in ("versions", "obtained", "commands", "profile")
        for key, value in values.items()
        if value is not None
    }
    assert set(report["obtained"]) == found
    assert report["obtained"]["exact.frames"] == "counted by `lutformer simulate` (cocotb)"


def test_records_of_other_verilog_are_left_out(cli, workspace, simulated, built):
    simulated(workspace)
    built(workspace)
    workspace.verilog.write_text(workspace.verilog.read_text() + "\n")
    report = read(cli, workspace)
    assert report["exact"]["frames"] is None
    assert report["resources"]["lut4"] is None
    assert report["timing"]["fmax_mhz"] is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_damaged_record_counts_as_none(cli, workspace, text):
    workspace.simulation.write_text(text)
    assert read(cli, workspace)["exact"]["frames"] is None


def test_table_and_page_say_the_same(cli, workspace, simulated, built):
    simulated(workspace)
    built(workspace)
    result = cli("report", workspace.path)
    assert "0 mismatches in 700 integers of 7 images" in result.out
    page = workspace.report_html.read_text()
    assert "0 mismatches in 700 integers of 7 images" in page
    assert "15.25" in page
    assert load_vit(workspace.network_file).hash in page
    assert not re.search(r"(src|href)=\"(?!#)", page), "a page of one file loads no other"


def test_the_page_says_which_command_makes_what_is_absent(cli, workspace, simulated, built):
    assert cli("report", workspace.path).code == 0
    page = workspace.report_html.read_text()
    for command in ("simulate", "build", "verify"):
        assert f"run <code>lutformer {command} {workspace.path}</code>" in page
    assert f"<code>lutformer simulate {workspace.path} --activity</code>" in page
    simulated(workspace, profile={"cycles": 9, "spans": [["matvec", "embed", 0, 9]]})
    built(workspace)
    assert cli("report", workspace.path).code == 0
    page = workspace.report_html.read_text()
    for command in ("simulate", "build"):
        assert f"run <code>lutformer {command} {workspace.path}</code>" not in page
    for title in ("Instructions of one inference", "Floorplan: 2 logic cells", "Slowest path"):
        assert f'aria-label="{title}' in page


def test_a_core_has_no_place_on_a_chip(cli, network_file, tmp_path):
    workspace, _ = generate_verilog(network_file, "icebreaker", tmp_path / "core", core=True)
    report = read(cli, workspace)
    assert report["memories"]["bits"] > 0
    assert report["memories"]["taken"] is None
    assert "This is a core alone" in workspace.report_html.read_text()


def test_records_remember_their_commands(cli, workspace, simulated, built):
    with invoked(["simulate", "a b"]):
        simulated(workspace)
    built(workspace)
    report = read(cli, workspace)
    assert report["commands"]["simulation"] == ["lutformer simulate 'a b'"]
    assert "verilog" not in report["commands"]  # it was generated by Python
    again = f"lutformer build {workspace.path} --seed 3"
    assert report["commands"]["bitstream"] == [again, "yosys top.ys", "nextpnr-ice40 --up5k"]
    assert report["versions"]["yosys"] == "0.70"
    page = workspace.report_html.read_text()
    assert "nextpnr-ice40 --up5k" in page


def test_switching_activity_is_that_of_an_inference(cli, workspace):
    modules = {"core": {"nets": 10, "toggles": 40}, "core.matvec": {"nets": 30, "toggles": 360}}
    record = {
        "verilog": hashlib.sha256(workspace.verilog.read_bytes()).hexdigest(),
        "inferences": 4,
        "cycles": 50,
        "modules": modules,
    }
    workspace.write(workspace.activity, record)
    assert read(cli, workspace)["activity"] == {
        "toggles": 100,
        "nets": 40,
        "share": 0.2,
        "inferences": 4,
        "modules": {
            "core": {"nets": 10, "toggles": 10},
            "core.matvec": {"nets": 30, "toggles": 90},
        },
    }
    workspace.write(workspace.activity, record | {"verilog": "0"})
    assert read(cli, workspace)["activity"]["toggles"] is None


def test_activity_and_waves_exclude_each_other(cli, workspace):
    for other in (["--waves", "vcd"], ["--simulator", "icarus"]):
        result = cli("simulate", workspace.path, "--activity", *other)
        assert result.code == 2
        assert result.sentence.startswith("--activity needs Verilator and excludes --waves")
    assert not workspace.activity.exists()


def test_names_in_the_page_are_escaped(cli, workspace):
    odd = workspace.path.with_name("a<b")
    workspace.path.rename(odd)
    assert cli("report", odd).code == 0
    page = (odd / "report.html").read_text()
    assert "a&lt;b" in page
    assert "a<b" not in page


TAGS = "<b>to & fro</b>\n"


@pytest.fixture
def speaker(tmp_path):
    """Return the core of an endless decoder whose characters are those of a text beside it."""
    (tmp_path / "tags.txt").write_text(TAGS * 300)
    vocabulary = load_text(tmp_path / "tags.txt").vocabulary
    linear = {"attention": "linear", "hash": "linear", "form": "and"}
    shape: Any = {**linear, "heads": 2, "positions": False, "vocabulary": vocabulary.size}
    network = replace(random_gpt(GptShape(**shape)), vocabulary=vocabulary)
    save_network(network, tmp_path / "speaker.safetensors")
    workspace, _ = generate_verilog(
        tmp_path / "speaker.safetensors", "ulx3s_85f", tmp_path / "speaker", core=True
    )
    return workspace


def test_a_decoder_is_judged_by_its_text(cli, speaker, tmp_path):
    result = cli("report", speaker.path, "--data", tmp_path / "tags.txt", "--json")
    assert (result.code, json.loads(result.out)["schema"]) == (0, 1), result.err
    report = json.loads(result.out)
    network, text = speaker.stored_network(), load_text(tmp_path / "tags.txt")
    loss, accuracy = golden_loss(network, text)
    assert report["accuracy"] == {
        "float": None,
        "integer": accuracy,
        "loss": round(loss, 4),
        "reading_on": round(endless_loss(network, text), 4),
        "images": text.held_out(network.block_size)[1].size,
    }
    assert len(report["sample"]) == 300
    assert set(report["sample"]) <= set(TAGS)
    # What was measured serves again.
    before = speaker.accuracy.stat().st_mtime_ns
    again = cli("report", speaker.path, "--data", tmp_path / "tags.txt")
    assert f"{report['accuracy']['reading_on']}" in again.out
    assert speaker.accuracy.stat().st_mtime_ns == before


def test_what_a_decoder_says_is_escaped(cli, speaker, tmp_path):
    result = cli("report", speaker.path, "--data", tmp_path / "tags.txt", "--json")
    said = json.loads(result.out)["sample"]
    page = speaker.report_html.read_text()
    assert "<" in said
    assert f"<pre>{escape(said)}</pre>" in page
    assert said not in page


def test_passes_and_baseline_of_a_decoder(cli, speaker):
    report = read(cli, speaker)
    network = speaker.stored_network()
    cycles, tokens = report["cycles"], network.block_size
    assert sum(cycles["passes"].values()) == cycles["bound"]
    assert cycles["bound"] == bound(network, speaker.plan())["bound"]
    theirs = total(baseline(network)).multiplications // tokens
    assert report["baseline"]["multiplications"] == theirs
    page = speaker.report_html.read_text()
    assert "Least cycles by pass</h3>" in page
    assert ">project 0</text>" in page
    assert report["sample"] is None  # nobody says what the text is
    assert "Sample text" not in page


def test_submodules_count_in_their_modules():
    cells = {"core": {"lut4": 1}, "core.a.b": {"lut4": 6, "ebr": 2}, "link": {"lut4": 3}}
    assert [(row.name, row.depth, row.cells[0], row.share) for row in tree(cells)] == [
        ("core", 0, "7", 0.7),
        ("a", 1, "6", 0.6),
        ("b", 2, "6", 0.6),
        ("link", 0, "3", 0.3),
    ]


def test_engines_that_never_work_are_rows_too():
    cycles = Cycles(busy={"matvec": 50}, engines={"matvec": 40, "mlp": 10}, program=100)
    report = Report(name="", network="", versions={}, cycles=cycles)
    assert [(row.name, row.cells) for row in engine_rows(report)] == [
        ("matvec", ("50", "50.0%", "40", "40.0%")),
        ("mlp", ("0", "0.0%", "10", "10.0%")),
    ]


def test_obtained_names_only_what_is_known():
    assert obtained(Report(name="", network="", versions={})) == {}
