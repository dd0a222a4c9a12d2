"""Decoders on the command line, from Verilog on: simulate, run, chat, on a virtual board."""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from lutformer.generating import generate_verilog
from lutformer.hdl.planner.bound import bound
from lutformer.model.costs.accounting import account, total
from lutformer.model.network.network_file import save_network
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.workspace import Workspace

NETWORK = random_gpt(GptShape(heads=2, block_size=8, positions=False))
CHARACTERS = NETWORK.vocabulary.characters


@pytest.fixture(scope="module")
def answering(tmp_path_factory):
    """Return a build directory; its virtual board is compiled once. Weights are to be loaded."""
    path = tmp_path_factory.mktemp("text") / "network.safetensors"
    save_network(NETWORK, path)
    lanes = path.with_name("plan.toml")
    lanes.write_text("in_lanes = 4\nout_lanes = 4\nlanes = 16\nexternal_weights = true\n")
    directory = path.parent / "built"
    workspace, _ = generate_verilog(path, "icebreaker", directory, plan_file=lanes)
    return workspace.path


def wrong_choices(directory, tmp_path):
    """Return a copy whose sampler keeps the last candidates instead of the best ones."""
    faulty = tmp_path / "faulty"
    shutil.copytree(directory, faulty)
    text = (faulty / "top.v").read_text()
    before, module, rest = text.partition("module \\lutformer_core.decoder.sampler ")
    assert " > $signed(best)" in rest
    (faulty / "top.v").write_text(
        before + module + rest.replace(" > $signed(best)", " != $signed(best)", 1)
    )
    return faulty


def test_every_token_is_held_to_the_golden_run(cli, answering):
    prompt = CHARACTERS[2:5]
    result = cli("run", answering, "--virtual", "--prompt", prompt, "--tokens", "20")
    assert result.code == 0, result.err
    assert result.out.startswith(prompt)
    assert len(result.out) == len(prompt) + 20 + 1
    assert "All 20 tokens match the golden run" in result.err
    assert "tokens a second at 12 MHz (the board's clock), without the link" in result.err
    again = cli("run", answering, "--virtual", "--prompt", prompt, "--tokens", "20", "--seed", "2")
    assert again.out != result.out


def test_speed_at_the_routed_clock(cli, answering, tmp_path):
    """Where the board's build is of this very Verilog, and only there."""
    built = tmp_path / "built"
    shutil.copytree(answering, built)
    workspace = Workspace(built)
    workspace.write(workspace.build, {"board": "icebreaker", "timing": {"fmax_mhz": 24.5}})
    copy = built / "icebreaker" / "lutformer_top.v"
    copy.parent.mkdir()
    copy.write_bytes(workspace.top.read_bytes())
    words = ("run", built, "--virtual", "--prompt", CHARACTERS[1], "--tokens", "4")
    rates = re.findall(r"^(\d+) tokens a second at ([\d.]+) MHz", cli(*words).err, re.MULTILINE)
    assert [mhz for _, mhz in rates] == ["12", "24.5"]
    assert int(rates[1][0]) == pytest.approx(int(rates[0][0]) * 24.5 / 12, rel=0.01)
    copy.write_text("another")
    assert "(routed)" not in cli(*words).err


def test_a_wrong_token_is_an_error(cli, answering, tmp_path):
    """The text comes, and the verdict after it."""
    words = ("--prompt", CHARACTERS[1], "--tokens", "30", "--top-k", "3")
    result = cli("run", wrong_choices(answering, tmp_path), "--virtual", *words)
    assert result.code == 1
    assert len(result.out) == 1 + 30 + 1
    verdict = result.err.splitlines()[-1]
    assert re.fullmatch(r"\d+ of 30 tokens differ from the golden run, number \d+ first", verdict)


def test_an_empty_prompt_and_one_longer_than_a_context(cli, answering):
    for prompt in ("", CHARACTERS * 2):
        words = ("--prompt", prompt, "--tokens", "9", "--temperature", "0")
        result = cli("run", answering, "--virtual", *words)
        assert result.code == 0, result.err
        assert "All 9 tokens match the golden run" in result.err


def test_another_network_than_the_golden_one_is_noticed(cli, answering, tmp_path):
    """The board says whose it is; no token is asked for."""
    other = tmp_path / "other"
    shutil.copytree(answering, other)
    network = random_gpt(GptShape(heads=2, block_size=8, positions=False), seed=5)
    save_network(network, other / "network.safetensors")
    result = cli("run", other, "--virtual", "--prompt", CHARACTERS[0])
    assert (result.code, result.out) == (1, "")
    assert result.sentence.startswith("The board runs network ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--prompt", "\x01"), "Character '\\x01' (number 1 of the text) is none of the"),
        ((), "This network generates text: give a --prompt to continue"),
        (("--index", "0"), "This network generates text: give a --prompt to continue"),
        (("--prompt", "x", "--index", "0"), "Give a --prompt for text, or inputs to classify, not"),
        (("--prompt", "x", "--temperature", "1e9"), "Temperature must be 0 to"),
        (("--prompt", "x", "--seed", "99999999999"), "Sampling.seed must be 1 to 4294967295"),
    ],
)
def test_what_makes_no_sense_is_refused(cli, answering, words, message):
    result = cli("run", answering, "--virtual", *words)
    assert result.code == 2
    assert result.sentence.startswith(message)


def test_images_have_no_text(cli, generated):
    for command in (("run", "--prompt", "x"), ("chat",)):
        name, *words = command
        result = cli(name, generated, "--virtual", *words)
        assert result.code == 2
        assert result.sentence.endswith("it cannot continue a text")


def test_a_talk(cli, answering, monkeypatch):
    lines = [
        CHARACTERS[1:3],
        "/tokens 3",
        "/nonsense",
        "/temperature 0",
        "\x01",
        "",
        "/reset",
        "/quit",
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines) + "\n"))
    result = cli("chat", answering, "--virtual", "--tokens", "5")
    assert result.code == 0, result.err
    unknown, character = result.err.splitlines()
    assert unknown == "There is no '/nonsense'; see /help"
    assert character.startswith("Character '\\x01' (number 1 of the text) is none of the")
    assert len(result.out.replace("\n", "")) == 5 + 3


def test_a_board_that_dies_in_the_middle(answering):
    """The simulator is killed while text flows: one sentence, and status 1."""
    command = [sys.executable, "-m", "lutformer", "run", str(answering), "--virtual"]
    words = ["--prompt", CHARACTERS[0], "--tokens", "1000000"]
    with subprocess.Popen(
        [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        begun = running.stdout.read(20)
        assert len(begun) == 20, running.stderr.read()
        (board,) = _children(running.pid, "virtual_board-")
        os.kill(board, signal.SIGKILL)
        running.stdout.read()
        assert running.wait(30) == 1
        (line,) = running.stderr.read().splitlines()
    assert line.startswith(("The board on ", "Serial port ", "The virtual board ended"))


def _children(pid, name):
    """Return the processes that another has started and whose program's name has ``name``."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        text = subprocess.run(
            ["ps", "-ww", "--ppid", str(pid), "-o", "pid=,args="], capture_output=True, text=True
        ).stdout
        found = [int(line.split()[0]) for line in text.splitlines() if name in line]
        if found:
            return found
    return []


def test_report(cli, answering):
    """What was simulated is in it, in a decoder's words; the page has no classes to confuse."""
    workspace = Workspace(answering)
    slowest = bound(NETWORK, workspace.plan())["bound"] + 100
    record = {"frames": 9, "integers": 700, "mismatches": 0, "cycles": slowest}
    digest = hashlib.sha256(workspace.top.read_bytes()).hexdigest()
    workspace.write(workspace.simulation, record | {"verilog": digest})
    result = cli("report", answering)
    assert result.code == 0, result.err
    assert "0 mismatches in 700 integers of 9 tokens" in result.out
    report = json.loads((answering / "report.json").read_text())
    assert (report["unit"], report["accuracy"]["loss"]) == ("token", None)
    engines = report["cycles"]["engines"]
    assert report["cycles"]["bound"] == sum(engines.values())
    whole = total(account(NETWORK)).multiplications
    assert report["operations"]["multiplications"] == whole // NETWORK.block_size
    page = (answering / "report.html").read_text()
    assert f"operations of a block of {NETWORK.block_size} tokens" in page
    assert "Confusion matrix" not in page


def test_simulate(cli, answering):
    result = cli("simulate", answering, "--frames", "20", "--simulator", "icarus")
    assert result.code == 0, result.err
    assert " of 20 tokens (random), 0 mismatches" in result.out
    record = json.loads((answering / "simulation.json").read_text())
    # Contexts of 8 tokens: the window moves, and tokens are taken in again.
    assert record["integers"] > 20 * NETWORK.head.out_features
    assert set(record["cycles_by_place"]) <= {str(place) for place in range(1, 8)}
    assert record["cycles"] == max(record["cycles_by_place"].values())
    assert record["bound"] < record["mean_cycles"] <= record["cycles"]
    assert record["ratio"] == round(record["cycles"] / record["bound"], 4)
    weights = (answering / "weights.bin").stat().st_size
    assert record["load_cycles"] > 2 * weights  # each byte comes in, then goes to its memory
    assert f"{record['load_cycles']} cycles to load the weights" in result.out
    assert f"mean {record['mean_cycles']:g}" in result.out
    assert f"bound {record['bound']}, ratio {record['ratio']:.3f}" in result.out


def test_one_token_alone_has_no_pace(cli, answering):
    result = cli("simulate", answering, "--tokens", "1", "--simulator", "icarus")
    assert result.code == 0, result.err
    record = json.loads((answering / "simulation.json").read_text())
    assert (record["frames"], record["mismatches"]) == (1, 0)
    assert (record["cycles"], record["mean_cycles"], record["ratio"]) == (None, None, None)
    report = cli("report", answering)
    assert report.code == 0, report.err


@pytest.fixture
def faulty(answering, tmp_path):
    """Return a copy of the build directory, to plant a fault in."""
    return shutil.copytree(answering, tmp_path / "faulty")


def flipped_bias(network):
    bias = network.head.bias.copy()
    bias[1] += 1
    return replace(network, head=replace(network.head, bias=bias))


def flipped_table(network):
    block = network.blocks[0]
    layer = block.mlp.layers[0]
    tables = layer.tables.copy()
    tables[0, 0] ^= 1
    mlp = replace(block.mlp, layers=(replace(layer, tables=tables), *block.mlp.layers[1:]))
    return replace(network, blocks=(replace(block, mlp=mlp), *network.blocks[1:]))


@pytest.mark.parametrize(("fault", "where"), [(flipped_bias, "logits"), (flipped_table, "written")])
def test_a_mismatch_is_an_error(cli, faulty, fault, where):
    """The Verilog stays, the network beside it changes by one integer."""
    save_network(fault(NETWORK), faulty / "network.safetensors")
    result = cli("simulate", faulty, "--frames", "20", "--simulator", "icarus")
    assert result.code == 1
    assert " integers of the simulated Verilog differ" in result.sentence
    assert f"first {where}[" in result.sentence


def test_cycles_that_are_not_true_are_found(cli, faulty):
    """The core counts on when it has done a job; all integers stay what they are."""
    text = (faulty / "top.v").read_text()
    assert text.count(" = cycles + busy;") == 1
    (faulty / "top.v").write_text(text.replace(" = cycles + busy;", " = cycles + 1'h1;"))
    result = cli("simulate", faulty, "--frames", "3", "--simulator", "icarus")
    assert result.code == 1
    assert "first cycles[0] is " in result.sentence


def test_a_wrong_choice_is_found(cli, answering, tmp_path):
    faulty = wrong_choices(answering, tmp_path)
    result = cli("simulate", faulty, "--frames", "8", "--simulator", "icarus")
    assert result.code == 1
    assert "first " in result.sentence
    assert "replies[" in result.sentence or "written[" in result.sentence
