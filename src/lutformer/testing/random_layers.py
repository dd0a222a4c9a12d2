"""Linear attention and kernel hashes with random weights: for tests."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.random import Generator

from ..model.kernel_hash import KernelHash
from ..model.linear import Linear
from ..model.linear_attention import LinearAttention, LinearHash

__all__ = ["random_kernel_hash", "random_linear_attention"]


def _linear(rng: Generator, rows: int, columns: int, *, scaled: bool = True) -> Linear:
    return Linear(
        kind="ternary",
        weight=rng.integers(-1, 2, (rows, columns)),
        bias=rng.integers(-20, 21, rows),
        multiplier=rng.integers(1, 1 << 15, rows) if scaled else np.zeros(rows, int),
    )


def random_kernel_hash(
    rng: Generator, *, heads: int, elements: int, anchors: int, code_bits: int, width: int = 8
) -> KernelHash:
    """Return a hash in which every fourth bias is 0 and every kernel table uses its range."""
    vectors = rng.normal(size=(heads, anchors, elements))
    vectors[:, 0] = np.eye(elements)[0]  # full swing along one axis
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    cosine = np.arange(-128, 128) / 127
    sigma = rng.uniform(0.1, 2, (heads, 1))
    kernel = np.round(255 * np.exp(-(1 - cosine) / sigma)) - 128
    table = np.where(rng.random((heads, 1)) < 0.5, kernel, rng.integers(-128, 128, (heads, 256)))
    bias = rng.integers(-4000, 4001, (heads, code_bits))
    bias[:, ::4] = 0
    return KernelHash(
        project=_linear(rng, heads * elements, width),
        anchors=np.round(127 * vectors / length).astype(int),
        table=np.clip(table, -128, 127).astype(int),
        hash=rng.integers(-127, 128, (heads, code_bits, anchors)),
        bias=bias,
    )


def random_linear_attention(
    rng: Generator,
    *,
    heads: int,
    code_bits: int,
    head_width: int,
    form: Literal["signed", "own", "and"] = "signed",
    causal: bool = False,
    shared: bool = True,
    fraction: int = 0,
    decay: Sequence[int] = (),
    kernel: tuple[int, int] | None = None,
    width: int = 8,
) -> LinearAttention:
    """Return a layer with a bias at either end of its range.

    ``kernel`` holds the elements and anchors of a kernel hash, None for a linear hash; ``decay``
    the shifts that heads draw from, none for no decay.
    """
    if kernel is None:
        count = 1 if shared else 2
        rows = heads * code_bits
        parts = tuple(_linear(rng, rows, width, scaled=False) for _ in range(count))
        hash_ = LinearHash(projections=parts)
    else:
        hash_ = random_kernel_hash(
            rng, heads=heads, elements=kernel[0], anchors=kernel[1], code_bits=code_bits
        )
    low = 1 if form == "and" else (code_bits << fraction) + 1
    high = (2 * code_bits + 1) << fraction
    return LinearAttention(
        heads=heads,
        value=_linear(rng, heads * head_width, width),
        output=_linear(rng, width, heads * head_width),
        causal=causal,
        hash=hash_,
        form=form,
        bias=low if rng.random() < 0.5 else int(rng.integers(low, high + 1)),
        decay=rng.choice(decay, heads) if len(decay) else np.zeros(heads, int),
        fraction=fraction,
    )
