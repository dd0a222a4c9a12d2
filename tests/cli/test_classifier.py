"""Weightless classifiers on the command line: train, export, import."""

import json

import numpy as np
import pytest
import torch

from lutformer.model.network.network_file import load_network
from lutformer.model.network.weightless_classifier import WeightlessClassifier

TINY = ("--epochs", "1", "--set", "luts=20", "--set", "fan_in=2")


@pytest.fixture
def flowers(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["kind,length,width"]
    for n in range(60):
        kind = ("lily", "rose")[n % 2]
        lines.append(f"{kind},{n % 2 + rng.normal() / 9:.4f},{rng.random():.4f}")
    path = tmp_path / "flowers.csv"
    path.write_text("\n".join(lines))
    return path


def test_presets_are_listed_by_family(cli):
    out = cli("presets").out
    assert "dwn-digits" in out
    assert "inputs each" in out


def test_from_digits_to_a_network(cli, tmp_path):
    result = cli("train", "dwn-digits", *TINY, "-o", "run")
    assert result.code == 0, result.err
    result = cli("export", "run/checkpoint.safetensors")
    assert "golden == torch: " in result.out
    assert "of 450 rows" in result.out
    network = load_network(tmp_path / "run/network.safetensors")
    assert isinstance(network, WeightlessClassifier)
    assert network.layers[0].luts == 20
    assert json.loads(network.origin)["golden"]["images"] == 450


def test_from_a_csv_file_to_a_network(cli, flowers, tmp_path):
    trained = cli("train", "dwn-digits", *TINY, "--data-dir", flowers, "--label", "kind", "-o", "r")
    assert trained.code == 0, trained.err
    assert "Accuracy on 15 held-out rows: " in trained.out
    result = cli("export", "r/checkpoint.safetensors")
    assert "golden == torch was not checked" in result.out
    result = cli("export", "r/checkpoint.safetensors", "--data", flowers)
    assert "of 15 rows" in result.out
    network = load_network(tmp_path / "r/network.safetensors")
    assert isinstance(network, WeightlessClassifier)
    assert network.class_names == ("lily", "rose")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("dwn-digits", "--twin"), "A weightless classifier has no attention, so it has no float"),
        (("dwn-digits", "--teacher", "x"), "A weightless classifier has no attention, so it has "),
        (("digits", "--label", "x"), "--label names a column of a .csv file: transformers take im"),
        (
            ("dwn-digits", "--set", "dim=8"),
            "'dim=8' is not a setting: write KEY=VALUE, with KEY one ",
        ),
        (("dwn-digits", "--set", "fan_in=9"), "This network or recipe does not work for digits: "),
    ],
)
def test_refused_training(cli, tmp_path, words, message):
    result = cli("train", *words)
    assert result.code == 2
    assert result.sentence.startswith(message)
    assert not (tmp_path / "build").exists()


def foreign(tmp_path):
    state = {"0.mapping": torch.tensor([[0, 1], [2, 3], [1, 2]]).int()}
    state["0.luts"] = torch.rand(3, 4) - 0.5
    path = tmp_path / "dwn.pt"
    torch.save(state, path)
    np.save(tmp_path / "t.npy", np.array([[0.25, 0.5], [0.5, 0.75]], np.float32))
    return path


def test_import_of_torch_dwn(cli, tmp_path):
    path = foreign(tmp_path)
    result = cli("export", path, "--thermometer", "t.npy", "--classes", "3", "-o", "n.safetensors")
    assert result.code == 0, result.err
    network = load_network(tmp_path / "n.safetensors")
    assert isinstance(network, WeightlessClassifier)
    assert (network.encoder.fraction, network.classes) == (2, 3)


def test_import_with_data_compares(cli, tmp_path):
    path = foreign(tmp_path)
    rows = np.random.default_rng(1).random((40, 2))
    labels = np.arange(40) % 3
    np.savez("rows.npz", x_train=rows, y_train=labels, x_test=rows[:9], y_test=labels[:9])
    result = cli("export", path, "--thermometer", "t.npy", "--classes", "3", "--data", "rows.npz")
    assert "of 9 rows" in result.out, result.err


def test_refused_imports(cli, tmp_path):
    path = foreign(tmp_path)
    result = cli("export", path, "--classes", "3")
    assert result.code == 1
    assert "has no thermometer, which torch-dwn models do not include: give its" in result.sentence
    torch.save(torch.nn.Linear(1, 1), path)
    assert "holds Python objects, which could run arbitrary code" in cli("export", path).sentence
    result = cli("export", "c.safetensors", "--classes", "3")
    assert result.code == 2
    assert result.sentence.startswith("--thermometer, --classes and --scale are for .pt files of ")
