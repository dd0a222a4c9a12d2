"""Linear attention by its definition: weights of pairs of tokens, one token after the other."""

from fractions import Fraction

import numpy as np
import pytest

from lutformer.model.arithmetic import requantize
from lutformer.model.attention import join_heads, split_heads
from lutformer.model.kernel_hash import COSINES, cosines, kernel_codes
from lutformer.model.linear_attention import mix_linear
from lutformer.testing.random_layers import random_kernel_hash, random_linear_attention

HEADS, BITS, WIDTH = 2, 7, 5
LENGTHS = [1, 2, 17, 64]
FORMS = [("signed", 0), ("own", 2), ("and", 3)]


def layer_of(seed, **shape):
    rng = np.random.default_rng(seed)
    return random_linear_attention(rng, heads=HEADS, code_bits=BITS, head_width=WIDTH, **shape)


def inputs(tokens, seed=3):
    rng = np.random.default_rng(seed)
    query, key = rng.integers(0, 2, (2, tokens, HEADS * BITS))
    key[-1] = query[0]
    return query, key, rng.integers(-128, 128, (tokens, HEADS * WIDTH))


def weights(layer, query, key):
    """Return w_ij of Eq. 32, [heads, n, n]."""
    q, k = (split_heads(code, HEADS) for code in (query, key))
    if layer.form != "and":
        q, k = 2 * q - 1, 2 * k - 1
    w = (q @ k.swapaxes(-1, -2) << layer.fraction) + layer.bias
    return np.tril(w) if layer.causal else w


def quotient(a, d, width):
    """Return a / d by Eq. 3 and 34, with Python's integers."""
    z = width - int(d).bit_length()
    r = ((1 << width + 11) - 1) // (int(d) << z)
    return int(requantize(int(a), r, width + 11 - z, 8))


@pytest.mark.parametrize("tokens", LENGTHS)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("form", "fraction"), FORMS)
def test_mixes_by_the_weights_of_pairs(form, fraction, causal, tokens):
    layer = layer_of(1, form=form, fraction=fraction, causal=causal)
    query, key, value = inputs(tokens)
    w, v = weights(layer, query, key), split_heads(value, HEADS)
    total, mixed = w.sum(-1), w @ v
    if form == "own":
        seen = np.tril(np.ones((tokens, tokens), int)) if causal else np.ones((tokens, tokens), int)
        mixed += layer.bias * (v - seen @ v)
    width = layer.sum_width(tokens)
    assert int(total.max()) < 1 << width
    expected = np.vectorize(quotient)(mixed, total[..., None], width)
    np.testing.assert_array_equal(mix_linear(layer, query, key, value), join_heads(expected))


@pytest.mark.parametrize("tokens", LENGTHS)
def test_weights_sum_to_one(tokens):
    layer = layer_of(1)
    query, key, _ = inputs(tokens)
    w = weights(layer, query, key)
    if tokens > 1:
        assert w.min() >= 1
    state = (2 * split_heads(key, HEADS) - 1).sum(-2, keepdims=True)
    denominator = ((2 * split_heads(query, HEADS) - 1) * state).sum(-1) + tokens * layer.bias
    for row, d in zip(w.reshape(-1, tokens), denominator.ravel(), strict=True):
        assert sum(Fraction(int(x), int(d)) for x in row) == 1


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("tokens", LENGTHS)
def test_equal_values_come_out_as_they_went_in(tokens, causal):
    layer = layer_of(1, causal=causal)
    query, key, value = inputs(tokens)
    for v in range(-128, 128):
        mixed = mix_linear(layer, query, key, np.full_like(value, v))
        assert (mixed == v).all()


@pytest.mark.parametrize("tokens", LENGTHS)
@pytest.mark.parametrize("decay", [(), (1, 4)])
def test_causal_equals_one_token_after_the_other(decay, tokens):
    layer = layer_of(2, form="and", fraction=3, causal=True, decay=decay)
    query, key, value = inputs(tokens)
    whole = mix_linear(layer, query, key, value)
    for n in range(1, tokens + 1):
        prefix = mix_linear(layer, query[:n], key[:n], value[:n])
        np.testing.assert_array_equal(prefix, whole[:n])


def test_decay_rounds_half_up():
    layer = layer_of(2, form="and", fraction=3, causal=True, decay=(2,))
    query, key, value = inputs(9)
    q, k = split_heads(query, HEADS)[0], split_heads(key, HEADS)[0]
    v, width = split_heads(value, HEADS)[0], layer.sum_width(9)
    state = [[0] * (WIDTH + 1) for _ in range(BITS + 1)]
    for n in range(9):
        row = [*(int(bit) << 3 for bit in k[n]), layer.bias]
        ones = [*map(int, v[n]), 1]
        state = [
            [s - (s + 2 >> 2) + h * x for s, x in zip(sums, ones, strict=True)]
            for sums, h in zip(state, row, strict=True)
        ]
        bits = [*q[n], 1]
        *a, d = (sum(int(g) * s[c] for g, s in zip(bits, state, strict=True)) for c in range(6))
        expected = [quotient(x, d, width) for x in a]
        assert mix_linear(layer, query, key, value)[n, :WIDTH].tolist() == expected


def test_kernel_hash_of_zero():
    layer = random_kernel_hash(
        np.random.default_rng(4), heads=2, elements=6, anchors=5, code_bits=4
    )
    zeros = np.zeros((1, 12), int)
    assert not cosines(layer, zeros).any()
    kernel = layer.table[:, COSINES // 2].astype(int)
    acc = layer.hash.astype(int).sum(-1) * kernel[:, None] + layer.bias
    np.testing.assert_array_equal(kernel_codes(layer, zeros).reshape(2, 4), acc >= 0)


def test_cosine_of_an_anchor_with_itself_is_one():
    layer = random_kernel_hash(
        np.random.default_rng(4), heads=1, elements=6, anchors=5, code_bits=4
    )
    own = np.diagonal(cosines(layer, layer.anchors[0])[0])
    assert own.min() >= 126
