"""Whatever is wrong ends in one sentence and status 1 or 2, with nothing half-written."""

import json
import pickle
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from lutformer.errors import LutformerError
from lutformer.model.network.network_file import save_network
from lutformer.testing.random_network import NetworkShape, random_network


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def refused(result, code: int, pattern: str) -> None:
    assert re.search(pattern, result.sentence), result.sentence
    assert result.code == code


def test_unknown_preset(cli, tmp_path):
    refused(cli("train", "digit"), 2, r"^There is no preset 'digit'; the presets are digits, ")
    refused(cli("demo", "--preset", "x", "-o", "d"), 2, r"^There is no preset 'x'")
    assert list(tmp_path.iterdir()) == []


def test_distillation(cli, tmp_path):
    wanted = ("train", "tiny", "--epochs", "1", "--twin", "--set", "distill=1.0", "-o", "new")
    refused(cli(*wanted), 2, r"^distill=1 needs a teacher: give --teacher CHECKPOINT of a float ")
    refused(cli(*wanted, "--teacher", "none"), 1, r"^none is not a readable checkpoint \(")
    assert files(tmp_path) == set()
    assert cli("train", "tiny", "--epochs", "1", "--twin", "-o", "old").code == 0
    taught = (*wanted, "--teacher", "old/twin/checkpoint.safetensors")
    refused(cli(*taught, "--set", "depth=3"), 2, r"^The teacher has depth=1, the network depth=3: ")
    refused(cli(*taught, "--set", "distill=0"), 2, r"^A teacher is of no use with distill=0: ")
    itself = (*wanted, "--teacher", "old/checkpoint.safetensors")
    refused(cli(*itself), 2, r"^The teacher must have float softmax attention, not weights=ternary")
    assert not (tmp_path / "new").exists()
    assert cli(*taught).code == 0


def test_unknown_board(cli, network_file, tmp_path):
    before = files(tmp_path)
    result = cli("generate", network_file, "--board", "icebraker", "-o", "b")
    refused(result, 2, r"^No board is called 'icebraker'; there are colorlight_i5, ")
    refused(cli("demo", "--board", "x", "-o", "d"), 2, r"^No board is called 'x'")
    assert not (tmp_path / "d").exists()
    assert files(tmp_path) == before


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip_a_weight(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def header(data: bytes, change) -> bytes:
    """Return the file with its JSON header changed."""
    (length,) = struct.unpack_from("<Q", data)
    outer = json.loads(data[8 : 8 + length])
    inner = json.loads(outer["__metadata__"]["lutformer"])
    change(inner)
    outer["__metadata__"]["lutformer"] = json.dumps(inner)
    text = json.dumps(outer).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def newer(data: bytes) -> bytes:
    return header(data, lambda inner: inner.update(schema=99))


def renamed_class(data: bytes) -> bytes:
    return header(
        data, lambda inner: inner["network"]["fields"].update(class_names=["a", "b", "c"])
    )


@pytest.mark.parametrize(
    ("spoil", "pattern"),
    [
        (truncate, r"is not a readable safetensors network .*; export it again"),
        (lambda data: b"", r"is not a readable safetensors network"),
        (lambda data: pickle.dumps({"weights": [1, 2]}), r"is not a readable safetensors network"),
        (flip_a_weight, r"was altered after export"),
        (renamed_class, r"was altered after export"),
        (newer, r"has schema 99, this version reads schema \d+; upgrade lutformer"),
    ],
    ids=["truncated", "empty", "pickle", "weight", "class-name", "newer"],
)
@pytest.mark.parametrize("command", ["generate", "report", "run"])
def test_spoiled_network(cli, network_file, tmp_path, spoil, pattern, command):
    network_file.write_bytes(spoil(network_file.read_bytes()))
    before = files(tmp_path)
    words = {
        "generate": ["generate", network_file, "--board", "icebreaker", "-o", "b"],
        "report": ["report", tmp_path],
        "run": ["run", tmp_path, "--virtual", "--index", "0"],
    }
    refused(cli(*words[command]), 1, pattern)
    assert files(tmp_path) == before


def test_foreign_safetensors(cli, tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "foreign.safetensors"
    save_file({"weight": np.zeros(3)}, path)
    refused(cli("generate", path, "--board", "icebreaker"), 1, r"is not a lutformer network")
    refused(cli("export", path), 1, r"is not a lutformer checkpoint")


def test_missing_files(cli):
    refused(cli("generate", "x.safetensors", "--board", "icebreaker"), 1, r"^x\.safetensors is not")
    refused(cli("export", "x.safetensors"), 1, r"^x\.safetensors is not a readable checkpoint")


@pytest.mark.parametrize(
    "words",
    [
        ["simulate"],
        ["build"],
        ["flash"],
        ["report"],
        ["run", "--virtual", "--index", "0"],
    ],
    ids=lambda words: words[0],
)
def test_empty_build_directory_says_what_to_run(cli, tmp_path, words):
    result = cli(words[0], tmp_path, *words[1:])
    refused(result, 2, r"^There is no '.*': run `lutformer generate` first$")
    assert files(tmp_path) == set()


def test_unwritable_directory(cli, network_file, tmp_path):
    blocked = tmp_path / "file" / "inside"
    blocked.parent.write_text("a file, so that no directory can be made here, whoever asks")
    pattern = r"^Nothing can be written to '.*/file/inside' \(Not a directory\); give another"
    refused(cli("train", "tiny", "-o", blocked), 1, pattern)
    refused(cli("demo", "-o", blocked), 1, pattern)
    refused(cli("generate", network_file, "--board", "icebreaker", "-o", blocked), 1, pattern)


@pytest.mark.parametrize(
    ("tool", "words"),
    [("iverilog", ["--simulator", "icarus"]), ("g\\+\\+", ["--simulator", "verilator"])],
)
def test_missing_tool(cli, generated, monkeypatch, tool, words):
    monkeypatch.setenv("PATH", "/nowhere")
    result = cli("simulate", generated, "--frames", "1", *words)
    refused(result, 1, rf"^Not found on the PATH: .*{tool}.*; run `apt-get install -y ")
    assert not (generated / "simulation.json").exists()


def test_missing_wheel(cli, generated, monkeypatch):
    monkeypatch.setattr("lutformer.boards.build.tools.Tool.installed", False)
    result = cli("build", generated)
    refused(result, 1, r"^Not installed: yosys, nextpnr-ice40, icepack; run `pip install pyosys ")
    assert not (generated / "build.json").exists()


def test_network_too_large_for_the_board(cli, tmp_path):
    shape = NetworkShape(height=16, width=16, dim=128, depth=6, heads=4, luts=(1024,), kind="int8")
    path = tmp_path / "large.safetensors"
    save_network(random_network(shape), path)
    before = files(tmp_path)
    result = cli("generate", path, "--board", "icebreaker", "-o", "large")
    refused(result, 1, r"iCE.*\d+.*\d+")
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["run", "d"], r"^Give --virtual, or the --port of a board$"),
        (["run", "d", "--virtual", "--port", "x"], r"^Give --virtual, or the --port of a board$"),
        (["run", "d", "--port", "x", "--waves", "vcd"], r"^--waves needs a simulation: "),
        (["flash", "d", "--sram", "--spi"], r"^Give --sram or --spi, not both$"),
        (["train", "tiny", "--data", "digits", "--data-dir", "x"], r"not both$"),
        (
            ["train", "tiny", "--set", "depht=2"],
            r"^'depht=2' is not a setting: write KEY=VALUE, .*depth",
        ),
        (["train", "tiny", "--set", "depth=two"], r"^depth takes int, not 'two'$"),
        (["train", "tiny", "--set", "luts=a"], r"^luts takes numbers with commas, not 'a'$"),
        (["train", "tiny", "--set", "alibi=yes"], r"^alibi takes true or false, not 'yes'$"),
        (
            ["train", "tiny", "--set", "code_bits=65"],
            r"VitConfig.code_bits must be 1 to 64, not 65",
        ),
        (["train", "tiny", "--set", "anchors=0"], r"VitConfig.anchors must be 1 to 256, not 0"),
        (
            ["train", "tiny", "--set", "heads=5"],
            r"^This network or recipe does not work for digits: .*heads",
        ),
        (["train", "tiny", "--set", "patch_width=3"], r"does not work for digits: Patch 4x3"),
    ],
)
def test_contradictions(cli, tmp_path, words, pattern):
    refused(cli(*words), 2, pattern)
    assert files(tmp_path) == set()


def test_unknown_data(cli, tmp_path):
    refused(cli("train", "tiny", "--data", "x", "-o", "t"), 1, r"^There is no dataset 'x': give")
    assert files(tmp_path) == set()


def test_data_that_do_not_suit(cli, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 5, 7), np.uint8)
    labels = np.arange(20) % 2
    np.savez("data.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    result = cli("train", "tiny", "--data-dir", "data.npz", "-o", "t")
    refused(result, 2, r"^This network or recipe does not work for data: Patch 4x4 .*--set$")


def test_debug_shows_the_traceback(cli):
    with pytest.raises(LutformerError, match="There is no preset"):
        cli("train", "x", "--debug")
    with pytest.raises(LutformerError, match="There is no preset"):
        cli("--debug", "train", "x")


def test_what_nobody_foresaw_is_one_sentence_too(cli, monkeypatch):
    def fail(name: str) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("lutformer.model.config.presets.preset", fail)
    refused(cli("train", "x"), 1, r"^Unexpected ZeroDivisionError: division by zero; run again")


def test_serial_port(cli, generated):
    result = cli("run", generated, "--port", "/dev/nothing", "--index", "0", "--data", "x")
    refused(result, 1, r"^There is no dataset 'x'")
    np.save("one.npy", np.zeros((4, 4), np.uint8))
    result = cli("run", generated, "--port", "/dev/nothing", "one.npy")
    refused(result, 1, r"^Serial port '/dev/nothing' cannot be opened")


def test_unreadable_images(cli, generated):
    Path("text.png").write_text("no picture")
    Path("text.npy").write_text("no array")
    np.save("wrong.npy", np.zeros((3, 5), np.uint8))
    np.save("bright.npy", np.full((4, 4), 256))
    np.save("half.npy", np.full((4, 4), 0.5))
    Path("image.xyz").touch()
    for name, pattern in {
        "gone.png": r"^There is no file 'gone.png'$",
        "text.png": r"^'text.png' is not a readable image file",
        "text.npy": r"^'text.npy' is not a readable image file",
        "wrong.npy": r"is of shape \(.*\); the network takes images of 4x4 with 1 channel$",
        "bright.npy": r"^Pixels of 'bright.npy' must be integers from 0 to 255$",
        "half.npy": r"^Pixels of 'half.npy' must be integers from 0 to 255$",
        "image.xyz": r"is of an unknown kind: give one of .*\.npy",
    }.items():
        refused(cli("run", generated, "--virtual", name), 2, pattern)
    refused(
        cli("run", generated, "--virtual"),
        2,
        r"^Give files of images, or --index for held-out images",
    )
    refused(cli("run", generated, "--virtual", "--index", "0"), 1, r"^Held-out images are needed")
