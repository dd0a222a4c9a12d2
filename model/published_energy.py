"""The energy of attention as EcoFormer's authors count it, from shapes alone.

After ``get_energy.py`` of their released code (arXiv 2209.09004), to set our figures beside theirs;
``tests/model/test_published_energy.py`` counts the published networks with it.
"""

from dataclasses import dataclass

from .operations import FLOAT_ADD_PJ, FLOAT_MUL_PJ

__all__ = ["FloatCost", "ecoformer_energy", "msa_energy"]


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
