"""Simulating and asking by the command line, on the smallest network."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from lutformer.model.network.golden import golden
from lutformer.model.network.network_file import load_vit, save_network
from lutformer.session.client import Answer
from lutformer.testing.random_network import NetworkShape, random_network


def test_simulate_records_what_it_compared(cli, generated):
    result = cli("simulate", generated, "--frames", "2", "--simulator", "icarus")
    assert (result.code, result.err) == (0, "")
    record = json.loads((generated / "simulation.json").read_text())
    per_frame = 3 * 4 * 8 + 3 + 1  # embedding, attention and MLP of 4 tokens; logits; class
    assert (record["frames"], record["integers"], record["mismatches"]) == (2, 2 * per_frame, 0)
    assert record["images"] == "random"
    assert f"{record['cycles']} cycles an inference" in result.out


def test_a_mismatch_is_an_error(cli, generated):
    """The Verilog stays, the network beside it changes by one weight."""
    network = load_vit(generated / "network.safetensors")
    bias = network.head.bias.copy()
    bias[1] += 1
    object.__setattr__(network.head, "bias", bias)
    save_network(network, generated / "network.safetensors")
    result = cli("simulate", generated, "--frames", "2", "--simulator", "icarus")
    assert result.code == 1
    assert result.sentence.startswith("2 of 200 integers of the simulated Verilog differ")
    assert "first logits[0, 1] is " in result.sentence


@pytest.fixture(scope="module")
def answering(tmp_path_factory) -> Path:
    """Return a build directory whose virtual board is compiled already."""
    from lutformer.generating import generate_verilog

    folder = tmp_path_factory.mktemp("answering")
    save_network(random_network(NetworkShape(), seed=1), folder / "n.safetensors")
    return generate_verilog(folder / "n.safetensors", "icebreaker", folder / "b")[0].path


def test_run_answers_like_the_golden_run(cli, answering):
    images = np.random.default_rng(3).integers(0, 256, (2, 4, 4, 1), np.uint8)
    np.save("images.npy", images)
    result = cli("run", answering, "--virtual", "images.npy")
    assert (result.code, result.err) == (0, "")
    truth = golden(load_vit(answering / "network.safetensors"), images)
    for number, logits in enumerate(truth.logits):
        (line,) = (
            row for row in result.out.splitlines() if row.startswith(f"images.npy[{number}]")
        )
        assert line.endswith("  " + " ".join(map(str, logits)))
        assert line.split()[1] == str(truth.classes[number])
    assert "All 2 answers match the golden run" in result.out


def test_run_writes_waves(cli, answering):
    np.save("image.npy", np.zeros((4, 4), np.uint8))
    result = cli("run", answering, "--virtual", "image.npy", "--waves", "vcd")
    waves = answering / "virtual_board" / "waves.vcd"
    assert (result.code, result.err.split()) == (0, ["Waves:", str(waves)])
    assert "All 1 answers match the golden run" in result.out
    with waves.open("rb") as file:
        assert file.read(8) == b"$version"


def test_simulate_writes_waves(cli, generated):
    words = ("--frames", "1", "--simulator", "icarus", "--waves")
    result = cli("simulate", generated, *words, "fst")
    assert (result.code, result.err) == (0, "")
    (waves,) = (generated / "simulation").rglob("*.fst")
    assert waves.stat().st_size > 1000
    result = cli("simulate", generated, *words, "vcd")
    assert result.code == 2
    assert result.sentence == ("Icarus writes fst here: give --waves fst, or another --simulator")


def test_a_board_with_another_network_is_refused(cli, answering, tmp_path):
    np.save("image.npy", np.zeros((4, 4), np.uint8))
    other = shutil.copytree(answering, tmp_path / "other")
    save_network(random_network(NetworkShape(), seed=2), other / "network.safetensors")
    result = cli("run", other, "--virtual", "image.npy")
    assert result.code == 1
    assert result.sentence.startswith("The board runs network ")


def test_a_wrong_answer_is_an_error(cli, answering, monkeypatch):
    def lying(board, network, images):
        yield Answer(class_index=0, logits=(1, 2, 3), cycles=9, seconds=0.1, exact=False)

    monkeypatch.setattr("lutformer.session.client.ask", lying)
    np.save("image.npy", np.zeros((4, 4), np.uint8))
    result = cli("run", answering, "--virtual", "image.npy")
    assert (result.code, result.sentence) == (1, "1 of 1 answers differ from the golden run")


def test_flash_prints_its_command(cli, generated):
    result = cli("flash", generated, "--dry-run")
    assert (result.code, "run `lutformer build` first" in result.sentence) == (2, True)
    (generated / "icebreaker").mkdir()
    (generated / "icebreaker" / "top.bin").touch()
    result = cli("flash", generated, "--dry-run", "--sram")
    assert result.code == 0
    words = shlex.split(result.out)
    assert words[0].endswith("openFPGALoader")
    assert words[1:4] == ["--board", "ice40_generic", "--write-sram"]
    assert words[4] == str(generated / "icebreaker" / "top.bin")


def test_core_alone(cli, network_file):
    assert cli("generate", network_file, "--board", "ulx3s_85f", "--core", "-o", "c").code == 0
    text = Path("c/core.v").read_text()
    assert "module lutformer_core(" in text
    assert "module lutformer_top(" not in text
    result = cli("build", "c")
    assert (result.code, "run `lutformer generate` without --core" in result.sentence) == (2, True)


def test_generate_twice_gives_the_same_bytes(cli, network_file):
    for folder in ("one", "two"):
        result = cli("generate", network_file, "--board", "icebreaker", "-o", folder)
        assert result.code == 0
    for name in ("top.v", "plan.json", "program.txt", "network.safetensors"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes(), name


def test_plan_file(cli, network_file):
    Path("plan.toml").write_text("lanes = 3\n")
    words = ("generate", network_file, "--board", "icebreaker", "-o", "p")
    assert cli(*words, "--plan", "plan.toml").code == 0
    assert json.loads(Path("p/plan.json").read_text())["lanes"] == 3
    Path("plan.toml").write_text("lains = 3\n")
    result = cli(*words, "--plan", "plan.toml")
    assert (result.code, "lains" in result.sentence) == (2, True)
