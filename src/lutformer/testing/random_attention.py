"""Attention layers with random weights, of each built-in kind."""

import numpy as np

from ..model.hamming_attention import HammingAttention
from ..model.kernel_hash import KernelHash
from ..model.linear_attention import LinearAttention, LinearHash
from ..model.softmax_attention import SoftmaxAttention, shift_exponential
from .draw import Draw

__all__ = ["random_hamming", "random_linear", "random_softmax"]


def random_hamming(draw: Draw) -> HammingAttention:
    """Return an attention layer by Hamming distance."""
    common = draw.common()
    shape = draw.shape
    rate = draw.rng.uniform(0.2, 0.8, (shape.heads, 1)) * np.arange(shape.code_bits + 1)
    if shape.weighting == "power":
        table = np.round(rate / np.log(2) * 256)
    else:
        table = np.maximum(1, np.round(1023 * np.exp(-rate)))
    rows = shape.heads * shape.code_bits
    alibi = draw.rng.integers(1, 300, shape.heads) * shape.alibi
    return HammingAttention(
        **common,
        code_bits=shape.code_bits,
        query=draw.linear(rows, shape.dim),
        key=draw.linear(rows, shape.dim),
        weighting=shape.weighting,
        table=table.astype(int),
        alibi=alibi,
        top_k=shape.top_k,
    )


def random_softmax(draw: Draw) -> SoftmaxAttention:
    """Return an attention layer by integer softmax."""
    common = draw.common()
    shape, literal = draw.shape, draw.shape.exponential == "shiftmax"
    width = shape.values // shape.heads
    smooth = np.round(4095 * np.exp(-np.arange(256) / draw.rng.uniform(12, 40)))
    return SoftmaxAttention(
        **common,
        query=draw.linear(shape.values, shape.dim, 1.0),
        key=draw.linear(shape.values, shape.dim, 1.0),
        multiplier=int(2**14 * draw.rng.uniform(0.5, 1.0) / np.sqrt(width)) + 1,
        shift=18,
        exponential=shape.exponential,
        table=shift_exponential(1 / 16) if literal else smooth.astype(int),
    )


def random_linear(draw: Draw) -> LinearAttention:
    """Return an attention layer of linear cost, codes and decay included."""
    common = draw.common()
    shape = draw.shape
    bits, sparse = shape.code_bits, shape.form == "and"
    head = np.arange(shape.heads)
    decay = np.minimum(2 * head + 1, 7) if sparse and shape.causal else 0 * head
    return LinearAttention(
        **common,
        hash=_kernel_hash(draw) if shape.hash == "kernel" else _linear_hash(draw, 1 + sparse),
        form=shape.form,
        bias=10 if sparse else bits + 1,
        decay=decay,
        fraction=10 if sparse else 0,
    )


def _linear_hash(draw: Draw, count: int) -> LinearHash:
    rows = draw.shape.heads * draw.shape.code_bits
    parts = tuple(draw.linear(rows, draw.shape.dim) for _ in range(count))
    return LinearHash(projections=parts)


def _kernel_hash(draw: Draw) -> KernelHash:
    shape, width = draw.shape, draw.shape.values // draw.shape.heads
    points = draw.rng.normal(size=(shape.heads, shape.anchors, width))
    points /= np.linalg.norm(points, axis=-1, keepdims=True)
    below = 1 - np.arange(-128, 128) / 127
    sigma = draw.rng.uniform(0.6, 1.5, (shape.heads, 1))
    table = np.round(255 * np.minimum(np.exp(-below / sigma), 1)) - 128
    hash_ = draw.rng.integers(-127, 128, (shape.heads, shape.code_bits, shape.anchors))
    centre = table.mean(1).astype(int)[:, None]
    return KernelHash(
        project=draw.linear(shape.values, shape.dim, 1.0),
        anchors=np.where(points == 0, 1, np.round(127 * points)).astype(int),
        table=table.astype(int),
        hash=hash_,
        bias=-centre * hash_.sum(-1),
    )
