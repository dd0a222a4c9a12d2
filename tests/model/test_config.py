"""Configurations: what they refuse, what they derive, and that they survive JSON."""

import json
from typing import Any

import pytest

from lutformer.errors import UsageError
from lutformer.model.config.presets import PRESETS, preset
from lutformer.model.config.transformer import TrainConfig, VitConfig

BASE: dict[str, Any] = {"height": 8, "width": 8}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 0}, "VitConfig.height must be at least 1, not 0"),
        ({"depth": 0}, "VitConfig.depth must be at least 1, not 0"),
        ({"classes": 1}, "VitConfig.classes must be at least 2, not 1"),
        ({"patch_width": 3}, "Patch 2x3 must divide the image 8x8"),
        ({"heads": 3}, "VitConfig.heads must divide dim=32, not be 3"),
        ({"dim": 1026}, "VitConfig.dim must be at most 1024, not 1026"),
        (
            {"attention": "soft"},
            "VitConfig.attention must be one of hamming, linear, softmax, not 'soft'",
        ),
        ({"mlp": "relu"}, "VitConfig.mlp must be one of weightless, gelu, not 'relu'"),
        ({"weights": "int4"}, "VitConfig.weights must be one of ternary, int8, float, not 'int4'"),
        ({"pooling": "max"}, "VitConfig.pooling must be one of mean, class, not 'max'"),
        ({"code_bits": 65}, "VitConfig.code_bits must be 1 to 64, not 65"),
        ({"code_bits": 0}, "VitConfig.code_bits must be 1 to 64, not 0"),
        ({"anchors": 257}, "VitConfig.anchors must be 1 to 256, not 257"),
        ({"top_k": -1}, "VitConfig.top_k must be at least 0, not -1"),
        ({"form": "or"}, "VitConfig.form must be one of signed, own, and, not 'or'"),
        ({"hash": "md5"}, "VitConfig.hash must be one of kernel, linear, not 'md5'"),
        (
            {"readout": "grouped", "luts": (40,)},
            "VitConfig.luts must end with a multiple of dim=32 to be grouped, not 40",
        ),
        ({"readout": "sparse"}, "VitConfig.readout must be one of dense, grouped, not 'sparse'"),
        ({"fan_in": 7}, "VitConfig.fan_in must be 1 to 6, not 7"),
        ({"thermometer_bits": 0}, "VitConfig.thermometer_bits must be 1 to 32, not 0"),
        ({"luts": ()}, "VitConfig.luts must name at least one layer"),
        ({"luts": (8, 0)}, r"VitConfig.luts must hold positive counts, not \(8, 0\)"),
    ],
)
def test_impossible_networks_are_refused(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        VitConfig(**BASE | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "TrainConfig.epochs must be at least 1, not 0"),
        ({"seed": -1}, "TrainConfig.seed must be at least 0, not -1"),
        ({"lr": 0.0}, "TrainConfig.lr must be positive, not 0.0"),
        ({"ramp": 1.5}, "TrainConfig.ramp must lie between 0 and 1, not 1.5"),
    ],
)
def test_impossible_recipes_are_refused(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        TrainConfig(**change)


def test_derived_sizes():
    config = VitConfig(height=8, width=12, channels=3, patch_height=4, patch_width=2)
    assert (config.tokens, config.patch_pixels) == (12, 24)
    assert VitConfig(**BASE, pooling="class").tokens == 17


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    chosen = preset(name)
    for config in (chosen.model, chosen.train):
        assert type(config).from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("name", [n for n, p in PRESETS.items() if isinstance(p.model, VitConfig)])
def test_presets_of_transformers_have_float_twins(name):
    model = preset(name).model
    assert isinstance(model, VitConfig)
    assert model.exact
    twin = model.float_twin()
    assert not twin.exact
    assert VitConfig.from_dict(json.loads(json.dumps(twin.to_dict()))) == twin


def test_unknown_preset():
    names = ", ".join(PRESETS)
    with pytest.raises(UsageError, match=f"^There is no preset 'x'; the presets are {names}$"):
        preset("x")


def test_unknown_field_is_refused():
    with pytest.raises(TypeError, match="unexpected keyword argument 'dropout'"):
        VitConfig.from_dict(BASE | {"dropout": 0.1})
