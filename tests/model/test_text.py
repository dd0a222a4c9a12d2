"""Texts as tokens, and what the loss on them is."""

import re
from typing import Any

import numpy as np
import pytest

from lutformer.errors import UsageError
from lutformer.model.data.images import DataError
from lutformer.model.data.text import Text, load_text
from lutformer.model.network.gpt import LOGIT_FRACTION, gpt
from lutformer.model.network.text_loss import endless_loss, golden_loss, held_out_loss, text_loss
from lutformer.model.vocabulary import Vocabulary
from lutformer.testing.random_gpt import GptShape, random_gpt

POEM = "Tiger, tiger, burning bright\nin the forests of the night\n" * 20


@pytest.fixture
def poem(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text(POEM)
    return path


def test_file(poem):
    text = load_text(poem)
    assert text.name == "poem.txt"
    assert text.vocabulary.decode(text.train_tokens) == POEM[: len(POEM) * 9 // 10]
    assert text.vocabulary.decode([*text.train_tokens, *text.test_tokens]) == POEM
    assert text.vocabulary.characters == "".join(sorted(set(POEM)))


def test_corpus_that_comes_with_python():
    text = load_text("pydoc")
    assert len(text.train_tokens) > 100_000
    assert "lambda" in text.vocabulary.decode(text.train_tokens)
    assert load_text("pydoc").fingerprint == text.fingerprint


def test_fingerprint_covers_text_and_characters(poem, tmp_path):
    one = load_text(poem).fingerprint
    for change in (POEM.replace("T", "t"), POEM[1:], POEM.replace("g", "z")):
        (tmp_path / "other.txt").write_text(change)
        assert load_text(tmp_path / "other.txt").fingerprint != one


def test_blocks_of_the_held_out_part_do_not_overlap(poem):
    text = load_text(poem)
    inputs, following = text.held_out(7)
    assert inputs.shape == following.shape == ((len(text.test_tokens) - 1) // 7, 7)
    assert inputs.ravel().tolist() == text.test_tokens[: inputs.size].tolist()
    assert following.ravel().tolist() == text.test_tokens[1 : inputs.size + 1].tolist()


def test_texts_of_no_use_are_refused(tmp_path, poem):
    def of(content: bytes) -> Any:
        path = tmp_path / "x.txt"
        path.write_bytes(content)
        return path

    refused = {
        r"^There is no text '.*absent': give one of pydoc, or a UTF-8 file$": tmp_path / "absent",
    }
    for message, source in refused.items():
        with pytest.raises(DataError, match=message):
            load_text(source)
    contents = {
        r"^Text x.txt has 0 characters; it needs 100 at least$": b"",
        r"x.txt is no text in UTF-8 \(byte 3 is not valid\); convert it$": b"abc\xff" * 99,
        r"^Text x.txt has 1 different characters; 2 to 4096 can be learned$": b"a" * 200,
    }
    for message, content in contents.items():
        with pytest.raises(DataError, match=message):
            load_text(of(content))
    message = (
        r"^Text poem.txt is too short: the tenth of it that is held out has 114 characters, "
        r"a block and what follows it 115$"
    )
    with pytest.raises(DataError, match=message):
        load_text(poem).held_out(114)


def test_loss_is_the_cross_entropy():
    logits = np.array([[0, 0, 0, 0], [30, 10, -10, 0]])
    expected = [np.log(4), np.log(np.exp(3) + np.exp(1) + np.exp(-1) + 1) - 1]
    assert text_loss(logits, np.array([2, 1]), 0.1) == pytest.approx(expected)
    assert text_loss(logits * 10**6, np.array([2, 0]), 1.0) == pytest.approx([np.log(4), 0])


def test_loss_over_all_blocks():
    """Of a run that knows the next token of three in four, and says nothing of the others."""
    vocabulary = Vocabulary(characters="abcd")
    tokens = np.arange(1001) % 4
    text = Text(name="x", vocabulary=vocabulary, train_tokens=tokens, test_tokens=tokens)

    def logits_of(blocks: np.ndarray) -> np.ndarray:
        sure = np.where(blocks[..., None] == 3, 0.0, 50.0)
        return sure * (np.arange(4) == (blocks[..., None] + 1) % 4)

    loss, accuracy = held_out_loss(logits_of, text, 4, 1.0)
    assert loss == pytest.approx(np.log(4) / 4)
    assert accuracy == 1.0  # the first of equals happens to be right


def test_golden_loss():
    network = random_gpt(GptShape(block_size=8, vocabulary=5))
    tokens = np.random.default_rng(0).integers(0, 5, 100)
    text = Text(name="x", vocabulary=network.vocabulary, train_tokens=tokens, test_tokens=tokens)
    inputs, following = text.held_out(8)
    logits = gpt(network, inputs)["logits"] * network.logit_step / 2**LOGIT_FRACTION
    share = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    right = np.take_along_axis(share, following[..., None], -1)
    loss, accuracy = golden_loss(network, text)
    assert loss == pytest.approx(-np.log(right).mean())
    assert accuracy == (logits.argmax(-1) == following).mean()


def test_endless_loss_is_that_of_long_contexts():
    network = random_gpt(
        GptShape(
            block_size=4, attention="linear", form="and", hash="linear", heads=2, positions=False
        )
    )
    tokens = np.random.default_rng(1).integers(0, 11, 1 + 32 * 10)
    text = Text(name="x", vocabulary=network.vocabulary, train_tokens=tokens, test_tokens=tokens)
    parts, following = tokens[:-1].reshape(32, 10), tokens[1:].reshape(32, 10)
    losses = text_loss(
        gpt(network, parts)["logits"], following, network.logit_step / 2**LOGIT_FRACTION
    )
    assert endless_loss(network, text) == pytest.approx(losses.mean())


@pytest.mark.parametrize(
    ("late", "message"),
    [
        ("z", r"Note: a character occurs of text x.txt only in the last tenth, .* \('z'\)"),
        ("Zürich", r"Note: 6 characters occur of text x.txt only in the last tenth, .*"),
    ],
)
def test_the_vocabulary_is_that_of_the_whole_text(late, message, tmp_path, caplog):
    path = tmp_path / "x.txt"
    path.write_text("ab" * 99 + late, encoding="utf-8")
    text = load_text(path)
    assert set(text.vocabulary.characters) == set("ab" + late)
    (record,) = caplog.records
    assert re.fullmatch(message, record.getMessage())


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_is_no_character(end, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"\xef\xbb\xbf" + (b"abc" * 9 + end) * 9)
    assert load_text(path).vocabulary.characters == "\nabc"


def test_all_unknown_characters_are_told_at_once():
    vocabulary = Vocabulary(characters="ab")
    message = (
        r"^Characters 'x', 'y' \(the first is number 2 of the text\) are none of the 2 that the "
        r"network knows; leave them out or replace them$"
    )
    with pytest.raises(UsageError, match=message):
        vocabulary.encode("axbyx")
