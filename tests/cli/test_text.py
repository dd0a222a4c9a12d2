"""Decoders on the command line: train, export."""

import json

import pytest

from lutformer.model.network.gpt import Gpt
from lutformer.model.network.network_file import load_network

POEM = "Tiger, tiger, burning bright\nin the forests of the night\n" * 20
TINY = ("--epochs", "1", "--set", "interval=5", "--set", "block_size=8")


@pytest.fixture
def poem(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text(POEM)
    return path


def test_presets_are_listed(cli):
    out = cli("presets").out
    assert "gpt-tiny" in out
    assert "attention" in out


def test_from_a_text_to_a_network(cli, poem, tmp_path):
    trained = cli("train", "gpt-tiny", *TINY, "--text", poem, "-o", "run")
    assert trained.code == 0, trained.err
    assert "Loss on 114 held-out characters: " in trained.out
    assert "lutformer export run/best.safetensors" in trained.out
    unchecked = cli("export", "run/best.safetensors")
    assert "golden == torch was not checked" in unchecked.out
    result = cli("export", "run/best.safetensors", "--data", poem)
    assert "golden == torch: " in result.out
    assert "of 14 blocks" in result.out
    network = load_network(tmp_path / "run/network.safetensors")
    assert isinstance(network, Gpt)
    assert network.vocabulary.characters == "".join(sorted(set(POEM)))
    assert json.loads(network.origin)["golden"]["images"] == 14


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gpt-tiny", "--twin"), "Decoders take neither --twin nor --teacher"),
        (("gpt-tiny", "--label", "x"), "--label names a column of a .csv file: decoders take"),
        (("gpt-tiny", "--data", "digits"), "There is no text 'digits': give one of pydoc, or a"),
        (("gpt-tiny", "--text", "absent"), "There is no text 'absent': give one of pydoc, or a"),
        (("gpt-tiny", "--text", "x", "--data", "pydoc"), "Give --data, --data-dir or --text, not"),
        (("gpt-tiny", "--set", "causal=false"), "This network or recipe does not work for pydoc"),
        (("gpt-tiny", "--set", "block_size=100000"), "Text pydoc is too short"),
    ],
)
def test_what_makes_no_sense_is_refused(cli, words, message):
    result = cli("train", *words)
    assert result.code in (1, 2)
    assert result.sentence.startswith(message)


def test_another_text_is_refused(cli, poem, tmp_path):
    cli("train", "gpt-tiny", *TINY, "--text", poem, "-o", "run")
    (tmp_path / "other.txt").write_text(POEM.replace("T", "t"))
    result = cli("export", "run/best.safetensors", "--data", "other.txt")
    assert result.sentence == (
        "Text other.txt has other characters (15) than the network knows (16)"
    )
