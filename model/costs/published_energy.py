"""Operations and energy of attention as EcoFormer's authors count them, from shapes alone.

After ``get_energy.py`` of their released code (arXiv 2209.09004), to set our figures beside theirs.
It adds the formulas of the attention to what ``mmcv`` 1.3.8 counts of the other layers, as
multiplications and as additions alike:

- a convolution, its bias included; a linear layer, its bias not;
- two operations for each element of a layer norm (scale and shift);
- nothing for GELU, residual additions, softmax, pooling.
"""

from dataclasses import dataclass

from .operations import FLOAT_ADD_PJ, FLOAT_MUL_PJ

__all__ = [
    "HEADS",
    "PVT",
    "SIDES",
    "FloatCost",
    "Pvt",
    "ecoformer_energy",
    "msa_energy",
    "pvt_energy",
]

SIDES = (56, 28, 14, 7)
HEADS = (1, 2, 5, 8)
MLP_RATIOS = (8, 8, 4, 4)


@dataclass(frozen=True)
class FloatCost:
    """Operations on 32-bit floats; addable."""

    multiplications: int = 0
    additions: int = 0

    def __add__(self, other: "FloatCost") -> "FloatCost":
        if not isinstance(other, FloatCost):
            return NotImplemented
        return FloatCost(
            self.multiplications + other.multiplications, self.additions + other.additions
        )

    @property
    def pj(self) -> float:
        """Picojoules, 45 nm."""
        return FLOAT_MUL_PJ * self.multiplications + FLOAT_ADD_PJ * self.additions


def msa_energy(tokens: int, dim: int, heads: int) -> FloatCost:
    """Return the cost of softmax attention between its projections.

    Scores and weighted sums, and the scale of each score; the softmax itself is not counted.
    """
    pairs = tokens * tokens
    return FloatCost(2 * pairs * dim + heads * pairs, 2 * pairs * dim)


def ecoformer_energy(
    tokens: int, dim: int, heads: int, bits: int = 16, anchors: int = 25
) -> FloatCost:
    """Return the cost of EcoFormer's attention between its projections.

    Distances to ``anchors``, hash of ``bits`` bits, running sums. As in the released code, squares
    in the distances count as additions, and the exponentials of the kernel not at all.
    """
    each, columns = heads * tokens, dim // heads
    hashing = anchors * bits
    return FloatCost(
        each * (2 * anchors + hashing + bits + 1 + columns),
        each * (2 * anchors * columns + hashing + 2 * bits + 2 * bits * columns + columns),
    )


@dataclass(frozen=True)
class Pvt:
    """PVTv2 as EcoFormer uses it: without spatial reduction; images of 224 x 224 pixels.

    Attributes
    ----------
    dims, depths : tuple of int
        Channels and blocks of each stage.
    """

    dims: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]


_WIDE = (64, 128, 320, 512)
PVT = {
    "B0": Pvt((32, 64, 160, 256), (2, 2, 2, 2)),
    "B1": Pvt(_WIDE, (2, 2, 2, 2)),
    "B2": Pvt(_WIDE, (3, 4, 6, 3)),
    "B3": Pvt(_WIDE, (3, 4, 18, 3)),
    "B4": Pvt(_WIDE, (3, 8, 27, 3)),
}


def _macs(count: int) -> FloatCost:
    return FloatCost(count, count)


def _convolution(pixels: int, channels: int, reads: int) -> FloatCost:
    return _macs(pixels * channels * (reads + 1))


def _norm(tokens: int, dim: int) -> FloatCost:
    return _macs(2 * tokens * dim)


def _linear(tokens: int, columns: int, rows: int) -> FloatCost:
    return _macs(tokens * columns * rows)


def pvt_energy(model: Pvt, *, ecoformer: bool) -> FloatCost:
    """Return the cost of an image, 1000 classes, with EcoFormer's or with softmax attention."""
    total, channels = FloatCost(), 3
    for stage, (side, dim, heads, ratio, depth) in enumerate(
        zip(SIDES, model.dims, HEADS, MLP_RATIOS, model.depths, strict=True)
    ):
        n, kernel = side * side, 3 if stage else 7
        total += _convolution(n, dim, kernel * kernel * channels)  # overlapping patches
        total += _norm(n, dim) + _norm(n, dim)  # of the patches, and after the stage
        binary = ecoformer and stage < 3  # the last stage keeps softmax
        for _ in range(depth):
            projections = 3 if binary else 4  # queries and keys are one; values, output
            total += _linear(n, dim, projections * dim)
            total += ecoformer_energy(n, dim, heads) if binary else msa_energy(n, dim, heads)
            total += _linear(n, dim, ratio * dim) + _linear(n, ratio * dim, dim)
            total += _convolution(n, ratio * dim, 9)  # depthwise
            total += _norm(n, dim) + _norm(n, dim)
        channels = dim
    return total + _linear(1, channels, 1000)
