"""The decoder in torch, in eval mode, against its golden run: every integer equal."""

from typing import Any

import numpy as np
import pytest
import torch

from lutformer.errors import UsageError
from lutformer.model.config.gpt import GptConfig
from lutformer.model.network.gpt import LOGIT_FRACTION, gpt
from lutformer.model.network.network_file import load_network, save_network
from lutformer.model.nn.network.gpt import Gpt
from lutformer.model.nn.training.export import export_gpt

CHARACTERS = "\nabcdefghijkl"


def shape(**changes: Any) -> GptConfig:
    base = {"vocabulary": len(CHARACTERS), "dim": 16, "block_size": 8, "luts": (24,)}
    return GptConfig(**base | changes)


ATTENTIONS: dict[str, dict[str, Any]] = {
    "Hamming, power, penalty": {"weighting": "power", "alibi": True},
    "Hamming, table, top 3": {"top_k": 3},
    "softmax": {"attention": "softmax"},
    "Shiftmax": {"attention": "softmax", "exponential": "shiftmax"},
    "EcoFormer": {"attention": "linear", "code_bits": 16},
    "EcoFormer, own": {"attention": "linear", "form": "own"},
    "linear hash": {"attention": "linear", "hash": "linear"},
    "and": {"attention": "linear", "form": "and", "heads": 4},
}
CONFIGS = {
    f"{name}, {mlp}, {weights}": shape(mlp=mlp, weights=weights, **changes)
    for name, changes in ATTENTIONS.items()
    for mlp in ("weightless", "gelu")
    for weights in ("ternary", "int8")
} | {
    "not tied": shape(tied=False),
    "no positions": shape(positions="none", attention="linear", form="and"),
    "one token": shape(block_size=1, depth=1),
}


def trained_like(config: GptConfig, seed: int) -> Gpt:
    """Return a model whose every parameter is away from where it starts."""
    torch.manual_seed(seed)
    model = Gpt(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel():
                parameter += torch.randn_like(parameter) * (0.02 + parameter.std(correction=0))
    return model.eval()


def tokens_of(config: GptConfig) -> np.ndarray:
    size = (5, config.block_size)
    return np.random.default_rng(9).integers(0, config.vocabulary, size)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_integer_equals_the_golden_run(name, seed, tmp_path):
    config = CONFIGS[name]
    model, tokens = trained_like(config, seed), tokens_of(config)
    save_network(export_gpt(model, characters=CHARACTERS), tmp_path / "n.safetensors")
    network: Any = load_network(tmp_path / "n.safetensors")
    expected = gpt(network, tokens)
    found = model.integers(torch.from_numpy(tokens))
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert found[key].shape == value.shape
        assert (found[key].numpy() == value).all(), key


def test_extreme_weights_still_agree():
    config = CONFIGS["and, weightless, ternary"]
    model, tokens = trained_like(config, 2), tokens_of(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter *= 4000 if name.endswith(("position", "head.weight")) else 40
    expected = gpt(export_gpt(model, characters=CHARACTERS), tokens)
    assert np.abs(expected["embedding"]).max() >= 32767
    for key, value in model.integers(torch.from_numpy(tokens)).items():
        assert (value.numpy() == expected[key]).all(), key


def test_sums_that_decay_agree_at_their_ends():
    """Values of one sign, all bits set: the running sums grow as far as they can."""
    config = shape(attention="linear", form="and", heads=4, block_size=300, code_bits=64)
    model = trained_like(config, 3)
    with torch.no_grad():
        for block in model.blocks:
            attention: Any = block.attention
            attention.value.bias.fill_(-1000.0)
            for part in attention.hash.projections:
                part.bias.fill_(1000.0)
    tokens = tokens_of(config)[:1]
    expected = gpt(export_gpt(model, characters=CHARACTERS), tokens)
    assert (expected["blocks.0.value"] == -128).all()
    for key, value in model.integers(torch.from_numpy(tokens)).items():
        assert (value.numpy() == expected[key]).all(), key


@pytest.mark.parametrize("name", ["and, weightless, ternary", "not tied"])
def test_training_at_the_end_of_its_ramp_computes_what_is_exported(name):
    config = CONFIGS[name]
    model, tokens = trained_like(config, 4), torch.from_numpy(tokens_of(config))
    integers = model.integers(tokens)
    with torch.no_grad():
        embedding = model.embedding(tokens, model.vectors)
        logits = model.head(integers["norm"].float()) / model.head.gain().float()
    assert (embedding == integers["embedding"]).all()
    assert torch.allclose(logits, integers["logits"].float(), rtol=1e-6)


def test_logit_step_is_the_scale_of_the_head():
    model = trained_like(CONFIGS["softmax, gelu, int8"], 0)
    gain = model.head.gain()[0].item()
    assert model.logit_step == pytest.approx(gain * 2**LOGIT_FRACTION, rel=1e-4)


def test_tied_weights_are_one_parameter():
    tied, apart = Gpt(shape()), Gpt(shape(tied=False))
    table = len(CHARACTERS) * 16
    sizes = [sum(p.numel() for p in model.parameters()) for model in (tied, apart)]
    assert sizes[1] - sizes[0] == table
    assert set(apart.state_dict()) - set(tied.state_dict()) == {"token_weight"}


def test_a_token_reaches_those_after_it_alone():
    for config in (shape().float_twin(), shape(alibi=True).float_twin(), shape()):
        model = trained_like(config, 0).train()
        tokens = torch.from_numpy(tokens_of(config))
        changed = tokens.clone()
        changed[:, 4] = (changed[:, 4] + 1) % config.vocabulary
        one, two = model(tokens), model(changed)
        assert torch.equal(one[:, :4], two[:, :4])
        assert not torch.equal(one[:, 4:], two[:, 4:])


def test_float_twin_has_the_recency_bias_of_its_model():
    assert not shape().float_twin().alibi
    assert shape(alibi=True).float_twin().alibi
    assert shape(attention="linear", form="and").float_twin().alibi
    near, far = (trained_like(shape(alibi=p).float_twin(), 0) for p in (True, False))
    tokens = torch.from_numpy(tokens_of(near.config))
    assert not torch.allclose(near(tokens), far(tokens))


def test_dropout_is_for_training():
    model = trained_like(shape(), 0)
    tokens = torch.from_numpy(tokens_of(model.config))
    before = model(tokens)
    model.drop(0.5)
    assert torch.equal(model(tokens), before)
    model.train()
    assert not torch.equal(model(tokens), model(tokens))


def test_configurations_that_make_no_sense_are_refused():
    refused: dict[str, dict[str, Any]] = {
        r"^GptConfig.causal must be true: a decoder does not see what follows$": {"causal": False},
        r"^GptConfig.vocabulary must be 2 to 4096, not 1$": {"vocabulary": 1},
        r"^GptConfig.block_size must be at least 1, not 0$": {"block_size": 0},
        r"^GptConfig.alibi is for hamming attention, or softmax of float weights$": {
            "alibi": True,
            "attention": "softmax",
        },
    }
    for message, changes in refused.items():
        with pytest.raises(ValueError, match=message):
            shape(**changes)
    with pytest.raises(UsageError, match=r"^A model of float weights has no integer form"):
        export_gpt(trained_like(shape().float_twin(), 0), characters=CHARACTERS)
