"""The quantised torch model in eval mode against the golden run: every integer equal."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from lutformer.errors import UsageError
from lutformer.model.config.transformer import VitConfig
from lutformer.model.network.golden import golden
from lutformer.model.network.network_file import load_vit, save_network
from lutformer.model.nn.network.vit import VisionTransformer
from lutformer.model.nn.thermometer import gaussian_thresholds
from lutformer.model.nn.training.evaluate import accuracy, predict
from lutformer.model.nn.training.export import export

CONFIGS = {
    "plain": VitConfig(height=8, width=8, dim=16, luts=(24,)),
    "int8": VitConfig(height=8, width=8, dim=16, luts=(24,), weights="int8"),
    "class token, depth 3": VitConfig(
        height=4, width=4, dim=8, depth=3, luts=(16,), pooling="class"
    ),
    "not square, colour": VitConfig(
        height=4, width=12, channels=3, patch_height=2, patch_width=4, dim=24, heads=3, luts=(20,)
    ),
    "grouped": VitConfig(height=8, width=8, dim=16, luts=(48,), readout="grouped"),
    "two LUT layers, grouped, int8": VitConfig(
        height=4, width=4, dim=8, depth=1, luts=(30, 40), readout="grouped", weights="int8"
    ),
    "learned wiring": VitConfig(
        height=4, width=4, dim=8, luts=(16, 8), mapping="learnable", surrogate="fd"
    ),
    "wiring of candidates": VitConfig(
        height=4, width=4, dim=8, luts=(16,), mapping="candidates", candidates=3, surrogate="efd"
    ),
    "two LUT layers": VitConfig(
        height=4, width=4, dim=10, heads=1, code_bits=13, luts=(30, 12), fan_in=6, mapping="shared"
    ),
    "one token": VitConfig(
        height=2, width=2, dim=6, depth=1, code_bits=1, luts=(5,), fan_in=1, thermometer_bits=1
    ),
    "long codes, int8": VitConfig(
        height=6, width=6, dim=12, heads=4, code_bits=64, luts=(8,), weights="int8", classes=3
    ),
}


def block(**changes: Any) -> VitConfig:
    base = {"height": 8, "width": 8, "dim": 16, "luts": (24,), "weights": "int8"}
    return VitConfig(**base | changes)


KINDS = {
    f"{name}{', causal' * causal}": block(**changes, causal=causal)
    for causal in (False, True)
    for name, changes in {
        "Hamming, power": {"weighting": "power"},
        "Hamming, power, penalty, top 3": {"weighting": "power", "alibi": True, "top_k": 3},
        "Hamming, table, penalty": {"alibi": True},
        "Hamming, table, top 1": {"top_k": 1, "weights": "ternary"},
        "softmax": {"attention": "softmax", "mlp": "gelu"},
        "Shiftmax": {"attention": "softmax", "exponential": "shiftmax", "heads": 1},
        "EcoFormer": {"attention": "linear", "code_bits": 16, "heads": 4, "mlp": "gelu"},
        "EcoFormer, own": {"attention": "linear", "form": "own", "anchors": 7},
        "linear hash": {"attention": "linear", "hash": "linear", "weights": "ternary"},
        "and": {"attention": "linear", "form": "and", "heads": 4},
    }.items()
}


def trained_like(config: VitConfig, seed: int) -> VisionTransformer:
    """Return a model whose every parameter is away from where it starts."""
    torch.manual_seed(seed)
    model = VisionTransformer(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter) * (0.02 + parameter.std(correction=0))
    return model.eval()


def images_of(config: VitConfig, count: int = 12) -> np.ndarray:
    rng = np.random.default_rng(9)
    shape = (count, config.height, config.width, config.channels)
    images = rng.integers(0, 256, shape).astype(np.uint8)
    images[0], images[1] = 0, 255
    return images


@pytest.mark.parametrize("name", CONFIGS | KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_integer_equals_the_golden_run(name, seed, tmp_path):
    config = (CONFIGS | KINDS)[name]
    model, images = trained_like(config, seed), images_of(config)
    save_network(export(model), tmp_path / "n.safetensors")
    expected = golden(load_vit(tmp_path / "n.safetensors"), images)
    found = model.integers(torch.from_numpy(images))
    assert list(found) == list(expected.integers)
    for key, value in expected.integers.items():
        assert found[key].shape == value.shape
        assert (found[key].numpy() == value).all(), key
    assert (predict(model, images) == expected.classes).all()


@pytest.mark.parametrize("weights", ["ternary", "int8"])
def test_extreme_weights_still_agree(weights):
    """Saturation everywhere: residuals, values and layer norms at their ends."""
    config = VitConfig(height=4, width=4, dim=8, luts=(16,), weights=weights)
    model, images = trained_like(config, 2), images_of(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("weight", "bias")):
                parameter *= 40
            if name.endswith("position"):
                parameter *= 400
    expected = golden(export(model), images).integers
    found = model.integers(torch.from_numpy(images))
    assert np.abs(expected["embedding"]).max() >= 32767
    for key, value in expected.items():
        assert (found[key].numpy() == value).all(), key


def test_dead_weights_still_agree():
    """All zero: U = 0 in every layer norm, every accumulator a tie."""
    config = VitConfig(height=4, width=4, dim=8, luts=(16,))
    model = VisionTransformer(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    images = images_of(config)
    expected = golden(export(model), images)
    found = model.integers(torch.from_numpy(images))
    for key, value in expected.integers.items():
        assert (found[key].numpy() == value).all(), key
    assert (expected.integers["norm"] == 0).all()
    assert (expected.integers["blocks.0.query"] == 1).all()
    assert (expected.classes == 0).all()


@pytest.mark.parametrize("name", ["plain", "int8", "two LUT layers", *KINDS])
def test_training_at_the_end_of_its_ramp_computes_what_is_exported(name):
    """Not to the bit (reciprocals are truncated in integers), but stage by stage to one step."""
    config = (CONFIGS | KINDS)[name]
    model, images = trained_like(config, 3), torch.from_numpy(images_of(config))
    shift = model.requant_shift
    integers = model.integers(images)
    block: Any = next(iter(model.blocks))
    prefix = "blocks.0."
    with torch.no_grad():
        stages = {
            "embedding": model.embedding(images),
            prefix + "norm1": block.norm1(integers["embedding"].float()),
            "norm": model.norm(integers["pooled"].float()),
        }
        if config.mlp == "weightless":
            stages[prefix + "bits"] = _bits(block.mlp, integers[prefix + "norm2"].float())
        increment = block.attention(integers[prefix + "norm1"].float())
        exact = block.attention.integers(integers[prefix + "norm1"], shift)["increment"]
    for key, value in stages.items():
        assert (value - integers[key]).abs().max() <= (0 if key.endswith("bits") else 1), key
    assert (increment - exact).abs().float().mean() < 0.02 * exact.abs().float().mean() + 1
    logits = model.head(integers["norm"].float()) / model.head.gain().float()
    assert torch.allclose(logits, integers["logits"].float(), rtol=1e-6)


def _bits(mlp, x):
    bits = mlp.thermometer(x)
    for layer in mlp.layers:
        bits = layer(bits)
    return bits


def test_conditional_sum_in_training_is_exact():
    model = trained_like(CONFIGS["plain"], 4)
    block: Any = next(iter(model.blocks))
    readout = block.mlp.readout
    bits = torch.randint(0, 2, (50, 24))
    assert (readout(bits.float()) == readout.integers(bits)).all()


def test_requantisation_uses_its_multiplier_word():
    for seed in range(3):
        network = export(trained_like(CONFIGS["plain"], seed))
        layers = [network.embedding.patch]
        for block in network.blocks:
            layers += [block.attention.value, block.attention.output]
        largest = max(int(layer.multiplier.max()) for layer in layers)
        assert 2**14 <= largest < 2**15


def test_tables_of_scores():
    config = CONFIGS["plain"]
    model = VisionTransformer(config)
    attention: Any = export(model).blocks[0].attention
    table = attention.table
    assert (table[:, 0] == 1023).all()
    assert (table[:, -1] == 1).all()
    for row in table.tolist():
        assert all(a >= b >= 1 for a, b in itertools.pairwise(row))
    expected = 1023 * np.exp(-2 * 2 / np.sqrt(12) * np.arange(13))
    assert np.abs(table - np.maximum(expected, 1)).max() <= 0.5001


def test_thresholds_are_gaussian_quantiles():
    assert gaussian_thresholds(1) == [0]
    assert gaussian_thresholds(3) == [-22, 0, 22]


def test_logits_are_integers_in_eval_and_real_in_training():
    config = CONFIGS["plain"]
    model, images = trained_like(config, 0), torch.from_numpy(images_of(config))
    assert model(images).dtype == torch.int64
    assert model.train()(images).dtype == torch.float32
    predict(model, images.numpy())
    assert model.training


def test_accuracy():
    config = CONFIGS["plain"]
    model, images = trained_like(config, 0), images_of(config)
    labels = predict(model, images, batch=5)
    assert accuracy(model, images, labels) == 1
    labels[:3] += 1
    assert accuracy(model, images, labels) == 0.75


def test_float_twin_is_deterministic_and_has_no_integers():
    config = CONFIGS["plain"].float_twin()
    model, images = trained_like(config, 0), torch.from_numpy(images_of(config))
    assert torch.equal(model(images), model.train()(images))
    message = (
        r"^A model of float weights has no integer form; train one of ternary or int8 weights$"
    )
    with pytest.raises(UsageError, match=message):
        export(model)
