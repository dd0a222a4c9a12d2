"""The integer primitives against plain Python integers, equation by equation."""

import random

import numpy as np
import pytest
import torch

from lutformer.model import arithmetic
from lutformer.model.nn import arithmetic as torch_arithmetic


def plain_requantize(a: int, m: int, s: int, bits: int) -> int:
    scaled = (a * m + 2 ** (s - 1)) // 2**s
    return max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, scaled))


def plain_reciprocal(v: int, w: int) -> tuple[int, int]:
    z = w - len(f"{v:b}")
    return (2 ** (w - 1 + 12) - 1) // (v * 2**z), z


@pytest.mark.parametrize(
    ("a", "m", "s", "bits", "expected"),
    [
        (1, 1, 1, 8, 1),  # +0.5 goes up
        (-1, 1, 1, 8, 0),  # -0.5 goes up too
        (-3, 1, 1, 8, -1),
        (3, 1, 1, 8, 2),
        (127, 1, 1, 8, 64),
        (255, 2, 2, 8, 127),  # 127.5 rounds to 128, which saturates
        (-257, 2, 2, 8, -128),
        (-259, 2, 2, 8, -128),
        (1 << 30, (1 << 15) - 1, 12, 16, 32767),
        (-(1 << 30), (1 << 15) - 1, 12, 16, -32768),
        (0, 0, 30, 8, 0),
    ],
)
def test_requantize_corners(a, m, s, bits, expected):
    assert plain_requantize(a, m, s, bits) == expected
    assert int(arithmetic.requantize(a, m, s, bits)) == expected
    assert int(torch_arithmetic.requantize(torch.tensor(a), torch.tensor(m), s, bits)) == expected


def test_requantize_at_random():
    rng = random.Random(1)
    for _ in range(2000):
        a, m, s = rng.randrange(-(2**34), 2**34), rng.randrange(2**15), rng.randrange(1, 31)
        bits = rng.choice([8, 16])
        expected = plain_requantize(a, m, s, bits)
        assert int(arithmetic.requantize(a, m, s, bits)) == expected
        assert (
            int(torch_arithmetic.requantize(torch.tensor(a), torch.tensor(m), s, bits)) == expected
        )


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_clamp(bits):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    values = [low - 1, low, low + 1, 0, high - 1, high, high + 1, 10**9, -(10**9)]
    expected = [sorted((low, v, high))[1] for v in values]
    assert arithmetic.clamp(values, bits).tolist() == expected
    assert torch_arithmetic.clamp(torch.tensor(values), bits).tolist() == expected


def test_bit_length():
    values = [0, 1, 2, 3, 4, 255, 256, 2**31 - 1, 2**31, 2**52, 2**53 - 1]
    expected = [v.bit_length() for v in values]
    assert arithmetic.bit_length(values).tolist() == expected
    assert torch_arithmetic.bit_length(torch.tensor(values)).tolist() == expected


@pytest.mark.parametrize("width", [1, 5, 12, 20, 34])
def test_reciprocal(width):
    rng = random.Random(width)
    values = {1, 2**width - 1, 2 ** (width - 1), *(rng.randrange(1, 2**width) for _ in range(300))}
    for v in sorted(values):
        r, z = plain_reciprocal(v, width)
        assert r.bit_length() == 12
        assert r * v * 2**z <= 2 ** (width - 1 + 12)  # never above the true value
        assert [int(x) for x in arithmetic.reciprocal(v, width)] == [r, z]
        assert [int(x) for x in torch_arithmetic.reciprocal(torch.tensor(v), width)] == [r, z]


@pytest.mark.parametrize(
    ("low", "high", "width"),
    [(0, 0, 1), (-1, 0, 1), (-1, 1, 2), (-128, 127, 8), (-128, 128, 9), (-129, 0, 9), (0, 255, 9)],
)
def test_signed_width(low, high, width):
    assert arithmetic.signed_width(low, high) == width


def test_products_that_float64_cannot_hold_are_refused():
    message = r"^Matrix product must stay below 2\*\*53, not reach 1\.8e\+16$"
    with pytest.raises(OverflowError, match=message):
        arithmetic.matmul(np.full((1, 2), 3_000_000_000), np.full((2, 1), 3_000_000))
    big, less = torch.full((1, 2), 3_000_000_000), torch.full((2, 1), 3_000_000)
    with pytest.raises(OverflowError, match=message):
        torch_arithmetic.integer_matmul(big, less)


def test_products_just_below_are_exact():
    a, b = np.array([[2**26 - 1, 2**26 - 3]]), np.array([[2**25 + 1], [2**25 + 3]])
    exact = sum(int(x) * int(y) for x, y in zip(a[0], b[:, 0], strict=True))
    assert int(arithmetic.matmul(a, b)[0, 0]) == exact
    assert int(torch_arithmetic.integer_matmul(torch.from_numpy(a), torch.from_numpy(b))) == exact
