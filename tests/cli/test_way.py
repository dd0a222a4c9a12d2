"""From training to the network file by the command line, on the smallest preset."""

import json
from pathlib import Path

import numpy as np
import pytest

from lutformer.cli import main
from lutformer.model.network.network_file import load_vit


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Return a directory with a checkpoint, its float twin, and the exported network."""
    directory = tmp_path_factory.mktemp("way") / "with space"
    for words in (
        ["train", "tiny", "--epochs", "1", "--twin", "-o", str(directory)],
        ["export", str(directory / "checkpoint.safetensors")],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert not stopped.value.code
    return directory


def test_training_leaves_checkpoint_and_curve(trained):
    for name in ("checkpoint.safetensors", "curve.csv", "curve.png", "twin.json"):
        assert (trained / name).stat().st_size > 0, name
    lines = (trained / "curve.csv").read_text().splitlines()
    assert len(lines) == 2


def test_network_remembers_where_it_comes_from(trained):
    origin = json.loads(load_vit(trained / "network.safetensors").origin)
    assert origin["data"]["name"] == "digits"
    assert origin["config"]["dim"] == 16
    assert origin["golden"]["images"] == 450
    assert origin["golden"]["integers"] > 450 * 10
    twin = origin["float_twin"]
    assert twin["images"] == 450
    assert twin["validation"][f"{twin['lr']:g}"] == max(twin["validation"].values())


def test_training_resumes_from_its_end(cli, trained):
    result = cli("train", "tiny", "--epochs", "1", "-o", trained)
    assert result.code == 0
    assert "lutformer export" in result.out


def test_another_run_is_not_overwritten(cli, trained):
    before = (trained / "checkpoint.safetensors").read_bytes()
    result = cli("train", "tiny", "--epochs", "1", "--seed", "7", "-o", trained)
    assert (result.code, "belongs to another run" in result.sentence) == (1, True)
    assert (trained / "checkpoint.safetensors").read_bytes() == before


def test_altered_checkpoint(cli, trained, tmp_path):
    data = bytearray((trained / "checkpoint.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "c.safetensors").write_bytes(data)
    result = cli("export", tmp_path / "c.safetensors", "-o", "n.safetensors")
    assert (result.code, "was altered" in result.sentence) == (1, True)
    assert not Path("n.safetensors").exists()


def test_unequal_model_is_not_exported(cli, trained, monkeypatch):
    """A golden run with one wrong integer must stop the export."""
    from lutformer.families import vit
    from lutformer.model.network import golden as module

    def wrong(network, images):
        found = module.golden(network, images)
        logits = found.integers["logits"].copy()
        logits[-1, -1] += 1
        return module.Golden(integers={**found.integers, "logits": logits})

    monkeypatch.setattr(vit, "golden", wrong)
    result = cli("export", trained / "checkpoint.safetensors", "-o", "n.safetensors")
    assert result.code == 1
    assert result.sentence.startswith("8 of ")  # one a batch of 64
    assert "first in 'logits'" in result.sentence
    assert not Path("n.safetensors").exists()


def test_float_twin_cannot_be_exported(cli, trained):
    result = cli("export", trained / "twin" / "checkpoint.safetensors", "-o", "n.safetensors")
    assert (result.code, "has no integer form" in result.sentence) == (2, True)


def test_own_data(cli):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 6, 4, 3), np.uint8), np.arange(40) % 2
    np.savez("mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    words = ("--set", "patch_height=3", "--set", "patch_width=2", "--epochs", "1")
    assert cli("train", "tiny", "--data-dir", "mine.npz", *words, "-o", "t").code == 0
    unchecked = cli("export", "t/checkpoint.safetensors")
    assert "golden == torch was not checked" in unchecked.out
    checked = cli("export", "t/checkpoint.safetensors", "--data", "mine.npz")
    assert "integers of 40 images" in checked.out
    network = load_vit(Path("t/network.safetensors"))
    assert (network.embedding.height, network.embedding.channels, network.classes) == (6, 3, 2)
