"""Commands on the hardware of a weightless classifier."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lutformer.errors import UsageError
from lutformer.generating import generate_verilog
from lutformer.hdl.plan.classifier_plan import ClassifierPlan
from lutformer.hdl.planner.classifier_bound import classifier_bound
from lutformer.model.network.network_file import load_network, save_network
from lutformer.model.network.weightless_classifier import (
    WeightlessClassifier,
    weightless_classifier,
)
from lutformer.session.client import Answer
from lutformer.testing.random_classifier import random_classifier

NETWORK = random_classifier(word_bits=11, signed=True)


@pytest.fixture
def network_file(tmp_path):
    path = tmp_path / "network.safetensors"
    save_network(NETWORK, path)
    return path


@pytest.fixture(scope="module")
def answering(tmp_path_factory) -> Path:
    """Return a build directory whose virtual board is compiled already."""
    folder = tmp_path_factory.mktemp("answering")
    save_network(NETWORK, folder / "n.safetensors")
    return generate_verilog(folder / "n.safetensors", "icebreaker", folder / "b")[0].path


def test_generate_writes_the_same_core_again(network_file, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text("rows = 2\n")
    texts = []
    for name in ("a", "b"):
        workspace, made = generate_verilog(
            network_file, "icebreaker", tmp_path / name, plan_file=plan, core=True
        )
        chosen = made.model_dump(include={"board", "rows", "fabric", "lanes"})
        assert chosen == {"board": "icebreaker", "rows": 2, "fabric": "lut4", "lanes": 0}
        assert workspace.network_file.read_bytes() == network_file.read_bytes()
        texts.append(workspace.core.read_text())
    assert texts[0] == texts[1]
    assert texts[0].startswith("// lutformer ")
    assert "module lutformer_core(" in texts[0]
    assert "module lutformer_top(" not in texts[0]


@pytest.mark.parametrize(
    ("board", "cell"), [("icebreaker", "SB_LUT4 #"), ("ulx3s_85f", r"^ *LUT4 #")]
)
def test_a_board_gets_its_own_cells(network_file, tmp_path, cli, board, cell):
    result = cli("generate", network_file, "--board", board, "-o", "a")
    assert (result.code, result.err) == (0, "")
    assert "fabric" in result.out
    text = Path("a/top.v").read_text()
    assert "module lutformer_top(" in text
    assert re.search(cell, text, re.MULTILINE)
    done = cli("simulate", "a", "--frames", "20", "--simulator", "icarus")
    assert (done.code, done.err) == (0, "")
    assert "80 integers of 20 rows (random), 0 mismatches" in done.out


def test_simulate_compares_counts_and_class(network_file, tmp_path, cli):
    generate_verilog(network_file, "icebreaker", tmp_path / "a", core=True)
    line = ("simulate", tmp_path / "a", "--frames", "20", "--simulator", "icarus")
    done = cli(*line)
    assert (done.code, done.err) == (0, "")
    assert "integers of 20 rows (random), 0 mismatches" in done.out
    core = tmp_path / "a" / "core.v"
    text = core.read_text()
    core.write_text(re.sub(r"16'h([0-9a-f]+) >> i__", r"16'h0 >> i__", text))  # empty tables
    assert core.read_text() != text
    done = cli(*line)
    assert done.code == 1
    assert re.search(r"of 80 integers .* first (class|counts)\[\d+", done.err)


def test_simulate_reads_the_bytes_of_a_top(network_file, tmp_path, cli):
    (tmp_path / "plan.toml").write_text('lanes = 2\nfabric = "lut4"\n')
    generate_verilog(network_file, "icebreaker", tmp_path / "a", plan_file=tmp_path / "plan.toml")
    bound = classifier_bound(NETWORK, ClassifierPlan(lanes=2), core=False)
    line = ("simulate", "a", "--frames", "9", "--simulator", "icarus")
    done = cli(*line)
    assert (done.code, done.err) == (0, "")
    assert json.loads(Path("a/simulation.json").read_text())["cycles"] == (
        bound["encoder"] + bound["tables"] + 3
    )
    other = random_classifier(word_bits=11, signed=True, seed=1)
    save_network(other, Path("a/network.safetensors"))
    done = cli(*line)
    assert done.code == 1
    assert re.search(r"of 36 integers .* first (class|counts)\[\d+", done.err)


def rows() -> np.ndarray:
    return np.random.default_rng(1).integers(-1024, 1024, (3, 5))


@pytest.mark.parametrize("kind", ["npy", "npz", "csv"])
def test_run_answers_like_the_golden_run(cli, answering, kind):
    file = Path(f"rows.{kind}")
    if kind == "npy":
        np.save(file, rows())
    elif kind == "npz":
        np.savez(file, rows().astype(float))
    else:
        lines = [",".join(map(str, row)) for row in rows().tolist()]
        file.write_text("\n".join(["a,b,c,d,e", *lines]))
    result = cli("run", answering, "--virtual", file)
    assert (result.code, result.err) == (0, "")
    truth = weightless_classifier(NETWORK, rows())
    for n, counts in enumerate(truth["counts"]):
        (line,) = (row for row in result.out.splitlines() if row.startswith(f"{file}[{n}]"))
        assert line.endswith("  " + " ".join(map(str, counts)))
        assert line.split()[1] == str(truth["class"][n])
    assert "All 3 answers match the golden run" in result.out


def test_a_wrong_answer_is_an_error(cli, answering, monkeypatch):
    def lying(board, network, inputs):
        yield Answer(class_index=0, logits=(1, 2, 3), cycles=9, seconds=0.1, exact=False)

    monkeypatch.setattr("lutformer.session.client.ask", lying)
    np.save("row.npy", np.zeros(5))
    result = cli("run", answering, "--virtual", "row.npy")
    assert (result.code, result.sentence) == (1, "1 of 1 answers differ from the golden run")


BAD = {
    "wide.npy": (np.zeros((2, 6)), "'wide.npy' is of shape (2, 6) and type float64; the network "),
    "nan.npy": (np.full(5, np.nan), "'nan.npy': Features must be finite numbers"),
    "text.npy": (
        np.array(["a"] * 5),
        "'text.npy' is of shape (5,) and type <U1; the network takes",
    ),
    "empty.npy": (np.zeros((0, 5)), "'empty.npy' is of shape (0, 5) and type float64; the network"),
}


@pytest.mark.parametrize("name", BAD)
def test_rows_that_do_not_suit(cli, answering, name):
    array, message = BAD[name]
    np.save(name, array)
    result = cli("run", answering, "--virtual", name)
    assert result.code == 2
    assert result.sentence.startswith(message)


def test_files_that_hold_no_rows(cli, answering):
    Path("bad.csv").write_text("a,b,c,d,e\n1,2,x,4,5\n")
    Path("bad.png").touch()
    for words, message in {
        ("bad.csv",): "'bad.csv' is not a readable file of numbers (",
        ("bad.png",): "'bad.png' is of an unknown kind: give one of .csv, .npy, .npz",
        ("none.csv",): "There is no file 'none.csv'",
        ("none.csv", "--raw"): "--raw is for transformers: a weightless classifier reads raw feat",
        ("--index", "0"): "Held-out rows are needed, but the network does not say its data",
    }.items():
        result = cli("run", answering, "--virtual", *words)
        assert result.code in (1, 2)
        assert result.sentence.startswith(message)


def test_fields_of_another_plan_are_refused(network_file, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text("columns = 2\n")
    known = "known fields are board, clock_hz, baud, rows, fabric, lanes"
    with pytest.raises(UsageError, match=f"{known}$"):
        generate_verilog(network_file, "icebreaker", tmp_path / "a", plan_file=plan, core=True)


def test_a_classifier_that_fits_no_form_is_refused(tmp_path, cli):
    large = random_classifier(features=900, thermometer_bits=5, luts=(6000, 6000), classes=10)
    save_network(large, tmp_path / "large.safetensors")
    result = cli("generate", "large.safetensors", "--board", "icebreaker", "-o", "a")
    assert result.code == 1
    start = "The network does not fit 1BitSquared iCEBreaker: the smallest plan needs about "
    assert result.sentence.startswith(start)
    assert " of 5280 logic cells" in result.sentence
    assert not Path("a").exists()


def test_from_a_table_to_a_virtual_board(cli):
    """The whole way but place and route, with words that are no bytes."""
    rng = np.random.default_rng(0)
    lines = ["kind,length,width"]
    for n in range(60):
        kind = ("lily", "rose")[n % 2]
        lines.append(f"{kind},{1000 * (n % 2 + rng.normal() / 9):.2f},{rng.random():.4f}")
    Path("flowers.csv").write_text("\n".join(lines))
    data = ("--data", "flowers.csv")
    small = ("--epochs", "1", "--set", "luts=20", "--set", "fan_in=2")
    for words in (
        ("train", "dwn-digits", *small, "--data-dir", "flowers.csv", "--label", "kind", "-o", "r"),
        ("export", "r/checkpoint.safetensors", *data),
        ("generate", "r/network.safetensors", "--board", "icebreaker", "-o", "b"),
        ("simulate", "b", "--frames", "15", "--simulator", "icarus", *data),
        ("run", "b", "--virtual", "--index", "0", "--index", "14", *data),
        ("report", "b", *data),
    ):
        result = cli(*words)
        assert (result.code, result.err) == (0, ""), words
    network = load_network(Path("b/network.safetensors"))
    assert isinstance(network, WeightlessClassifier)
    assert network.encoder.bits > 8
    report = json.loads(Path("b/report.json").read_text())
    assert report["exact"]["mismatches"] == 0
    assert report["exact"]["frames"] == 15
    assert report["accuracy"]["images"] == 15
    assert report["operations"]["lookups"] == 20
    assert report["operations"]["multiplications"] == 0
    assert report["baseline"]["additions"] is None
    assert report["cycles"]["bound"] == report["cycles"]["engines"]["encoder"]
    assert 1 < report["cycles"]["ratio"] < 2
    assert report["removed"] == {"mlp_share": None}
    page = Path("b/report.html").read_text()
    assert "int8 baseline" not in page
    assert "<code>tables.0</code>" in page
