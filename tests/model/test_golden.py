"""The golden run against a plain Python run, on networks of many shapes."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutformer.model.layer_norm import LayerNormConfig, layer_norm
from lutformer.model.network.golden import argmax, golden
from lutformer.model.pooling import pool
from lutformer.testing.random_network import NetworkShape, random_network

spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
assert spec is not None
assert spec.loader is not None
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

KINDS: list[dict[str, Any]] = [
    {"weighting": "power", "alibi": True, "top_k": 4},
    {"alibi": True, "top_k": 1},
    {"attention": "softmax", "mlp": "gelu"},
    {"attention": "softmax", "exponential": "shiftmax"},
    {"attention": "linear", "mlp": "gelu"},
    {"attention": "linear", "form": "own", "anchors": 1, "head_dim": 3},
    {"attention": "linear", "hash": "linear"},
    {"attention": "linear", "hash": "linear", "form": "and", "code_bits": 13},
]
SHAPES = [
    NetworkShape(),
    NetworkShape(kind="int8", depth=3, code_bits=13, heads=2),
    NetworkShape(height=4, width=6, channels=3, patch_height=2, patch_width=3, class_token=True),
    NetworkShape(height=6, width=4, patch_height=3, patch_width=4, dim=12, heads=3, code_bits=1),
    NetworkShape(height=3, width=3, patch_height=3, patch_width=3, dim=9, code_bits=32, fan_in=6),
    NetworkShape(luts=(24, 12), fan_in=2, thermometer_bits=1, kind="int8", head_dim=5, heads=2),
    NetworkShape(luts=(20,), fan_in=1, classes=11, dim=10),
    NetworkShape(luts=(20, 30), dim=10, readout="grouped"),
    *(
        NetworkShape(height=6, width=6, heads=2, kind="int8", causal=causal, **changes)
        for causal in (False, True)
        for changes in KINDS
    ),
]


def images_of(network, count=3, seed=7):
    e = network.embedding
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, e.height, e.width, e.channels)).astype(np.uint8)
    images[0] = 0
    images[-1] = 255
    return images


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_golden_equals_plain_python(shape, seed):
    network = random_network(shape, seed)
    images = images_of(network)
    integers = golden(network, images, batch=2).integers
    for n, image in enumerate(images):
        expected = reference.run(network, image.tolist())
        assert list(integers) == list(expected)
        for name, value in expected.items():
            assert integers[name][n].tolist() == value, name


CORNERS = {
    "equal": [5, 5, 5, 5],
    "equal negative": [-32768] * 4,
    "zero": [0, 0, 0, 0],
    "one step": [0, 0, 0, 1],
    "both ends": [-32768, 32767, -32768, 32767],
    "one end": [-32768, 32767, 32767, 32767],
    "tie": [1, -1, 1, -1],
}


@pytest.mark.parametrize("x", CORNERS.values(), ids=CORNERS)
@pytest.mark.parametrize("repeat", [1, 3, 16, 256])
@pytest.mark.parametrize("fraction", [0, 5, 7])
def test_layer_norm_corners(x, repeat, fraction):
    x = x * repeat
    config = LayerNormConfig(width=len(x), fraction=fraction)
    y = layer_norm(config, x).tolist()
    assert y == reference.layer_norm(x, fraction)
    if len(set(x)) == 1:
        assert set(y) == {0}


@pytest.mark.parametrize("width", [1, 2, 3, 24, 33, 1024])
def test_layer_norm_widths_hold_the_worst_case(width):
    config = LayerNormConfig(width=width)
    x = [-32768] * (width // 2) + [32767] * (width - width // 2)
    s1 = sum(x)
    assert -(2 ** (config.sum_width - 1)) <= width * -32768
    assert width * 2**30 < 2**config.square_width
    assert width * sum(v * v for v in x) - s1 * s1 < 2**config.variance_width
    assert max(abs(width * v - s1) for v in x) < 2 ** (config.centred_width - 1)
    assert layer_norm(config, x).tolist() == reference.layer_norm(x, 5)


def test_layer_norm_is_close_to_the_real_one():
    rng = np.random.default_rng(3)
    x = rng.integers(-4000, 4000, (200, 48))
    y = layer_norm(LayerNormConfig(width=48), x)
    real = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) * 32
    assert np.abs(y - real).max() < 0.5 + 127 * 2 / 2**11


@pytest.mark.parametrize("tokens", [1, 2, 3, 4, 5, 16, 17])
def test_pool(tokens):
    x = np.random.default_rng(tokens).integers(-32768, 32768, (tokens, 6))
    k = reference.bits(tokens - 1)
    expected = [(sum(c) + (2 ** (k - 1) if k else 0)) >> k for c in x.T.tolist()]
    assert pool(x).tolist() == expected
    assert -32768 <= min(expected) <= max(expected) <= 32767


def test_argmax_takes_the_lowest_of_equals():
    assert argmax(np.array([[1, 3, 3], [2, 2, 2], [-5, -9, -5]])).tolist() == [1, 0, 0]


def test_images_of_another_shape_are_refused():
    network = random_network(NetworkShape())
    refused: list[Any] = [
        np.zeros((1, 4, 5, 1), np.uint8),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((0, 4, 4, 1), np.uint8),
        np.zeros((1, 4, 4, 1), np.int64),
    ]
    for images in refused:
        with pytest.raises(
            ValueError, match=r"^Images must be uint8 of shape \(images, 4, 4, 1\), "
        ):
            golden(network, images)
