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
    inputs, rows : int
        Elements and outputs that are multiplied in a cycle.
    vectors : int
        Largest number of vectors in a job.
    turns : int
        Matrices that each layer consists of, one above the other; the vectors of a job use them in
        turn, and their number is a multiple of ``turns``.
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
    inputs: int
    rows: int
    vectors: int
    turns: int = 1
    dsp: bool = True
    registers: bool = True
    external: bool = False

    def __post_init__(self) -> None:
        check(
            self.inputs >= 1 and self.rows >= 1, "MatVec needs at least one input and one row lane"
        )
        check(len(self.raw) == len(self.layers), "MatVec needs one raw count for each layer")
        check(
            all(layer.rows % self.turns == 0 for layer in self.layers),
            f"MatVec layers must have a multiple of turns={self.turns!r} rows",
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
        return any(raw < layer.rows for raw, layer in zip(self.raw, self.layers, strict=True))

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
        yield ACTIVATION_BITS * self.inputs, 2 * self.bank_words
        if not self.external:
            yield self.weight_width, self.weight_words
        yield self.bias_width + self.multiplier_width, sum(n.rows for n in self.layers)

    @property
    def weight_width(self) -> int:
        """Bits of a word of weights."""
        return self.weight_bits * self.inputs * self.rows

    @property
    def weight_words(self) -> int:
        """Words of weights of all layers."""
        return self.turns * sum(self.words(n) * self.groups(n) for n in self.layers)

    @property
    def weights(self) -> list[int]:
        """Words of weights: for each row of a group, the weights of a word's elements."""
        bits, image = self.weight_bits, []
        for layer in self.layers:
            words, groups = self.words(layer), self.groups(layer)
            for matrix in np.split(layer.weight, self.turns):
                padded = np.zeros((groups * self.rows, words * self.inputs), np.int64)
                padded[: len(matrix), : layer.columns] = matrix
                blocks = padded.reshape(groups, self.rows, words, self.inputs).swapaxes(1, 2)
                for block in blocks.reshape(groups * words, -1) & (1 << bits) - 1:
                    image.append(sum(int(w) << bits * n for n, w in enumerate(block)))
        return image

    def words(self, layer: Linear) -> int:
        """Return the words of a vector of ``layer``."""
        return -(-layer.columns // self.inputs)

    def groups(self, layer: Linear) -> int:
        """Return the passes over the vector that ``layer`` takes."""
        return -(-(layer.rows // self.turns) // self.rows)

    def cycles(self, layer: Linear) -> int:
        """Return the cycles of a vector at least: its weights, or its outputs one a cycle."""
        return max(self.words(layer) * self.groups(layer), layer.rows // self.turns)
