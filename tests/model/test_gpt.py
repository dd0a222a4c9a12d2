"""The decoder's golden run against plain Python, in one go and step by step."""

import importlib.util
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutformer.errors import UsageError
from lutformer.model.network.generation import generate
from lutformer.model.network.gpt import Gpt, GptState, gpt, step
from lutformer.model.network.network_file import load_network, save_network
from lutformer.model.vocabulary import Vocabulary
from lutformer.testing.random_gpt import GptShape, random_gpt

spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
assert spec is not None
assert spec.loader is not None
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

ATTENTIONS: dict[str, dict[str, Any]] = {
    "Hamming": {},
    "Hamming, power, penalty, top 3": {"weighting": "power", "alibi": True, "top_k": 3},
    "Hamming, table, penalty": {"alibi": True},
    "softmax": {"attention": "softmax"},
    "Shiftmax": {"attention": "softmax", "exponential": "shiftmax"},
    "EcoFormer": {"attention": "linear"},
    "EcoFormer, own": {"attention": "linear", "form": "own"},
    "linear hash": {"attention": "linear", "hash": "linear"},
    "and": {"attention": "linear", "hash": "linear", "form": "and"},
}
SHAPES = {
    f"{name}, {mlp}": GptShape(heads=2, depth=2, mlp=mlp, **changes)
    for name, changes in ATTENTIONS.items()
    for mlp in ("weightless", "gelu")
} | {
    "int8": GptShape(kind="int8", luts=(16, 24)),
    "no positions": GptShape(positions=False, vocabulary=2, dim=6),
    "one token": GptShape(block_size=1),
}
ENDLESS = GptShape(attention="linear", hash="linear", form="and", heads=2, positions=False)


def tokens_of(network: Gpt, contexts: int = 2, count: int | None = None) -> np.ndarray:
    rng = np.random.default_rng(5)
    size = (contexts, count or network.block_size)
    return rng.integers(0, network.vocabulary.size, size)


@pytest.mark.parametrize("name", SHAPES)
def test_golden_equals_plain_python(name):
    network = random_gpt(SHAPES[name])
    tokens = tokens_of(network)
    integers = gpt(network, tokens)
    for n, context in enumerate(tokens.tolist()):
        expected = reference.run_text(network, context)
        assert list(integers) == list(expected)
        for key, value in expected.items():
            assert integers[key][n].tolist() == value, key


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("cut", [1, 3])
def test_steps_equal_the_run_in_one_go(name, cut):
    network = random_gpt(SHAPES[name], seed=1)
    tokens, state = tokens_of(network), GptState(network)
    places = range(0, tokens.shape[1], cut)
    parts = [step(network, state, tokens[:, n : n + cut]) for n in places]
    assert state.tokens == network.block_size
    for key, value in gpt(network, tokens).items():
        assert (np.concatenate([part[key] for part in parts], axis=1) == value).all(), key


def test_what_follows_a_token_does_not_reach_it():
    network = random_gpt(SHAPES["softmax, gelu"])
    one, two = tokens_of(network), tokens_of(network)
    two[:, -1] = (two[:, -1] + 1) % network.vocabulary.size
    a, b = gpt(network, one)["logits"], gpt(network, two)["logits"]
    assert (a[:, :-1] == b[:, :-1]).all()
    assert (a[:, -1] != b[:, -1]).any()


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_window(size):
    """As the text grows: the context fills, then half of it is taken in again."""
    network = random_gpt(GptShape(block_size=size))
    held: list[int] = []
    for place in range(40):
        if len(held) == size:
            held = held[size - size // 2 :]
        held.append(place)
        assert network.window(place + 1) == held[0]


def test_endless():
    assert random_gpt(ENDLESS).endless
    assert random_gpt(ENDLESS).window(10**9) == 0
    changes: list[dict[str, Any]] = [
        {"positions": True},
        {"form": "signed"},
        {"attention": "softmax"},
    ]
    for change in changes:
        assert not random_gpt(replace(ENDLESS, **change)).endless


def greedy(logits: np.ndarray) -> int:
    return int(logits.argmax())


@pytest.mark.parametrize("shape", [*SHAPES.values(), ENDLESS], ids=[*SHAPES, "endless"])
def test_generation_sees_the_window_alone(shape):
    network = random_gpt(shape, seed=2)
    prompt = tokens_of(network, 1, 2 * shape.block_size + 3)[0]
    text = prompt.tolist()
    for made in islice(generate(network, prompt, greedy), 3 * shape.block_size):
        context = text[network.window(len(text)) :]
        integers = gpt(network, [context])
        assert made.token == greedy(integers["logits"][0, -1])
        for name, value in integers.items():
            assert (made.integers[name] == value[0, -1]).all(), name
        text.append(made.token)


def test_round_trip(tmp_path):
    for shape in (SHAPES["int8"], ENDLESS):
        network = random_gpt(shape)
        save_network(network, tmp_path / "n.safetensors")
        again = load_network(tmp_path / "n.safetensors")
        assert isinstance(again, Gpt)
        assert again.hash == network.hash
        assert again.vocabulary.characters == network.vocabulary.characters
        tokens = tokens_of(network)
        assert (gpt(again, tokens)["logits"] == gpt(network, tokens)["logits"]).all()


def test_tokens_that_are_none_are_refused():
    network = random_gpt(GptShape())
    refused: dict[str, Any] = {
        r"^Tokens must be integers of shape \(contexts, n\), not float64 \(1, 2\)$": [[0.0, 1.0]],
        r"^Tokens must be integers of shape \(contexts, n\), not int64 \(2,\)$": [0, 1],
        r"^Tokens must lie between 0 and 10, not between 3 and 11$": [[3, 11]],
        r"^Tokens must lie between 0 and 10, not between -1 and 3$": [[3, -1]],
        r"^A context has 8 tokens at most, not 9$": [[0] * 9],
    }
    for message, tokens in refused.items():
        with pytest.raises(ValueError, match=message):
            gpt(network, tokens)
    state = GptState(network)
    step(network, state, [[1, 2, 3]])
    with pytest.raises(ValueError, match=r"^A context has 8 tokens at most, not 9$"):
        step(network, state, [[0] * 6])


def test_networks_that_make_no_sense_are_refused():
    network = random_gpt(GptShape())
    members, block = network.members(), network.blocks[0]
    other = random_gpt(GptShape(vocabulary=12, block_size=9)).members()
    refused = {
        r"^Gpt.embedding must have 11 rows, one a character, not 12$": {
            "embedding": other["embedding"]
        },
        r"^Gpt.head must have 11 rows, one a character, not 12$": {"head": other["head"]},
        r"^Gpt.embedding must have 9 positions or none, not 8$": {"block_size": 9},
        r"^Gpt.block_size must be positive, not 0$": {"block_size": 0},
        r"^Gpt.logit_step must be 1 to 2\*\*32 - 1, not 0$": {"logit_step": 0},
        r"^Gpt.blocks\[0\].attention must be causal$": {
            "blocks": (replace(block, attention=replace(block.attention, causal=False)),)
        },
    }
    for message, changes in refused.items():
        with pytest.raises(ValueError, match=message):
            Gpt(**members | changes)


def test_vocabulary():
    vocabulary = Vocabulary.of("hello\nworld é")
    assert vocabulary.characters == "\n dehlorwé"
    tokens = vocabulary.encode("hello é")
    assert vocabulary.decode(tokens) == "hello é"
    assert vocabulary.prompt("").tolist() == [0]
    assert Vocabulary.of("ab").prompt("").tolist() == [0]
    assert Vocabulary.of("\tab\n").prompt("").tolist() == [1]
    message = (
        r"^Character 'X' \(number 3 of the text\) is none of the 10 that the network knows; "
        r"leave it out or replace it$"
    )
    with pytest.raises(UsageError, match=message):
        vocabulary.encode("heXX")
    for characters in ("ba", "aa"):
        with pytest.raises(ValueError, match=r"^Vocabulary.characters must be different and asc"):
            Vocabulary(characters=characters)
    with pytest.raises(ValueError, match=r"must hold 2 to 4096 characters, not 1$"):
        Vocabulary.of("aaa")
