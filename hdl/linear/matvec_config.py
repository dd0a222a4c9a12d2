"""Shape of the matrix engine, read by its parts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...model.arithmetic import ACTIVATION_BITS
from ...model.linear import MULTIPLIER_BITS, Linear
from ...model.storage.part import check

__all__ = ["MatVecConfig"]


@dataclass(frozen=True, kw_only=True)
class MatVecConfig:
    """Lanes of the engine and the layers it knows.

    Attributes
    ----------
    layers : tuple of Linear
    raw : tuple of int
        Of each layer, how many of its first rows leave as accumulators.
    shift : int
        s of Eq. 2.
    in_lanes, out_lanes : int
        Input elements and output features that are multiplied in a cycle.
    vectors : int
        Largest number of vectors in a job.
    interleave : int
        Matrices that each layer consists of, one above the other. The vectors of a job use them in
        turn; their number is a multiple of ``interleave``.
    dsp : bool
        Requantise in DSP blocks.
    registers : bool
        Register what has been read before it is multiplied, and see :class:`Requantize`.
    external : bool
        Weights lie in a memory outside.
    """

    layers: tuple[Linear, ...]
    raw: tuple[int, ...]
    shift: int
    in_lanes: int
    out_lanes: int
    vectors: int
    interleave: int = 1
    dsp: bool = True
    registers: bool = True
    external: bool = False

    def __post_init__(self) -> None:
        check(
            self.in_lanes >= 1 and self.out_lanes >= 1,
            "MatVec needs at least one input and one row lane",
        )
        check(len(self.raw) == len(self.layers), "MatVec needs one raw count for each layer")
        check(
            all(layer.out_features % self.interleave == 0 for layer in self.layers),
            f"MatVec layers must have a multiple of interleave={self.interleave!r} rows",
        )

    @property
    def weight_bits(self) -> int:
        """Stored width of a weight: sign and magnitude bit if all are ternary."""
        return 2 if all(layer.kind == "ternary" for layer in self.layers) else 8

    @property
    def accumulator_width(self) -> int:
        """Signed width of an accumulator."""
        return max(layer.accumulator_width for layer in self.layers)

    @property
    def bias_width(self) -> int:
        """Signed width of a bias."""
        return (
            max(
                int(np.abs(layer.bias.astype(np.int64)).max()).bit_length() for layer in self.layers
            )
            + 1
        )

    @property
    def scales(self) -> bool:
        """Whether any row is requantised."""
        return any(
            raw < layer.out_features for raw, layer in zip(self.raw, self.layers, strict=True)
        )

    @property
    def multiplier_width(self) -> int:
        """Unsigned width of a multiplier, 0 where nothing is scaled."""
        return MULTIPLIER_BITS - 1 if self.scales else 0

    @property
    def bank_words(self) -> int:
        """Words that each of the two banks of the vector buffer has room for."""
        return 1 << (max(map(self.words, self.layers)) - 1).bit_length()

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of every block memory: of vectors, weights, biases and multipliers."""
        yield ACTIVATION_BITS * self.in_lanes, 2 * self.bank_words
        if not self.external:
            yield self.weight_width, self.weight_words
        yield self.bias_width + self.multiplier_width, sum(n.out_features for n in self.layers)

    @property
    def weight_width(self) -> int:
        """Bits of a word of weights."""
        return self.weight_bits * self.in_lanes * self.out_lanes

    @property
    def weight_words(self) -> int:
        """Words of weights of all layers."""
        return self.interleave * sum(self.words(n) * self.groups(n) for n in self.layers)

    @property
    def weights(self) -> list[int]:
        """Words of weights: for each row of a group, the weights of a word's elements."""
        bits, image = self.weight_bits, []
        for layer in self.layers:
            words, groups = self.words(layer), self.groups(layer)
            for matrix in np.split(layer.weight, self.interleave):
                padded = np.zeros((groups * self.out_lanes, words * self.in_lanes), np.int64)
                padded[: len(matrix), : layer.in_features] = matrix
                blocks = padded.reshape(groups, self.out_lanes, words, self.in_lanes).swapaxes(1, 2)
                for block in blocks.reshape(groups * words, -1) & (1 << bits) - 1:
                    image.append(sum(int(w) << bits * n for n, w in enumerate(block)))
        return image

    def words(self, layer: Linear) -> int:
        """Return the words of a vector of ``layer``."""
        return -(-layer.in_features // self.in_lanes)

    def groups(self, layer: Linear) -> int:
        """Return the passes over the vector that ``layer`` takes."""
        return -(-(layer.out_features // self.interleave) // self.out_lanes)

    def cycles(self, layer: Linear) -> int:
        """Return the cycles of a vector at least: its weights, or its outputs one a cycle."""
        return max(self.words(layer) * self.groups(layer), layer.out_features // self.interleave)
