"""Shape of the kernel hash engine, read by its parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model.arithmetic import ACTIVATION_BITS, signed_width
from ...model.kernel_hash import COSINES, KernelHash
from ...model.linear import Linear
from ...model.storage.part import check
from ..lib.inverse_root import InverseRoot
from ..linear.matvec_config import MatVecConfig

__all__ = ["KernelHashConfig"]


@dataclass(frozen=True, kw_only=True)
class KernelHashConfig:
    """Layers that one engine serves, and its lanes.

    Attributes
    ----------
    layers : tuple of KernelHash
        Equal in heads, elements, anchors and code bits.
    tokens : int
        n, tokens of a job.
    lanes : int
        Multiplications a cycle with the anchors, and as many with the hash.
    dsp : bool
        Scale cosines in DSP blocks.
    registers : bool
        See :class:`Requantize`; also registers the squares before they are added.
    """

    layers: tuple[KernelHash, ...]
    tokens: int
    lanes: int
    dsp: bool = True
    registers: bool = True

    def __post_init__(self) -> None:
        check(
            len({n.anchors.shape + n.hash.shape for n in self.layers}) == 1,
            "Kernel hash layers must agree in heads, elements, anchors and code bits",
        )
        check(self.tokens >= 1, f"Tokens must be at least 1, not {self.tokens!r}")
        check(self.lanes >= 1, f"Lanes must be at least 1, not {self.lanes!r}")

    @property
    def heads(self) -> int:
        """H."""
        return self.layers[0].heads

    @property
    def elements(self) -> int:
        """C, elements of a head's vector."""
        return self.layers[0].anchors.shape[2]

    @property
    def anchor_count(self) -> int:
        """Anchors of a head, m."""
        return self.layers[0].anchors.shape[1]

    @property
    def code_bits(self) -> int:
        """Bits of a code, b."""
        return self.layers[0].code_bits

    @property
    def square_width(self) -> int:
        """W of Eq. 27."""
        return self.layers[0].square_width

    @cached_property
    def anchors(self) -> MatVecConfig:
        """The engine of the products with the anchors."""
        biases = [np.zeros(n.anchors.shape[:2], np.int32) for n in self.layers]
        return self._matvec([n.anchors for n in self.layers], biases)

    @cached_property
    def hash(self) -> MatVecConfig:
        """The engine of the products with the kernel."""
        return self._matvec([n.hash for n in self.layers], [n.bias for n in self.layers])

    @property
    def cosine_reach(self) -> int:
        """Signed width that no rounded cosine exceeds, whatever the lengths of the anchors."""
        squares = max(int((n.anchors.astype(np.int64) ** 2).sum(-1).max()) for n in self.layers)
        top = int(squares**0.5 * 1.002) + 2  # the inverse root is off by less than 1/1024
        return signed_width(-top, top)

    @property
    def interval(self) -> int:
        """Cycles of a head's vector at least."""
        root, anchors, hash_ = InverseRoot.cycles(self.square_width), self.anchors, self.hash
        return max(
            self.elements + 1 + self.registers,
            root + 1,
            anchors.cycles(anchors.layers[0]),
            hash_.cycles(hash_.layers[0]),
        )

    @property
    def cycles(self) -> int:
        """Cycles that all tokens of a layer take at least."""
        return self.tokens * self.heads * self.interval

    @property
    def dsps(self) -> int:
        """Hardware multipliers: of both matrices, of the squares, of the cosines."""
        wide = 1 if self.anchors.accumulator_width <= 16 else 2
        matrices = sum(n.in_lanes * n.out_lanes for n in (self.anchors, self.hash))
        return matrices + 1 + wide * self.dsp

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of every block memory."""
        yield from self.anchors.memories
        yield from self.hash.memories
        yield ACTIVATION_BITS, len(self.layers) * self.heads * COSINES

    def _matvec(self, weights: list[NDArray[Any]], biases: list[NDArray[Any]]) -> MatVecConfig:
        """Return an engine in which each head has its turn."""
        layers = [
            Linear(
                kind="int8",
                weight=weight.reshape(-1, weight.shape[-1]),
                bias=bias.ravel(),
                multiplier=np.zeros(bias.size, np.int32),
            )
            for weight, bias in zip(weights, biases, strict=True)
        ]
        inputs, rows = self._split(weights[0].shape[1], weights[0].shape[2])
        return MatVecConfig(
            layers=tuple(layers),
            raw=tuple(layer.out_features for layer in layers),
            shift=1,
            in_lanes=inputs,
            out_lanes=rows,
            vectors=self.tokens * self.heads,
            interleave=self.heads,
            registers=self.registers,
        )

    def _split(self, rows: int, columns: int) -> tuple[int, int]:
        """Return how many inputs by how many rows of a matrix take the fewest cycles."""
        shapes = [(n, min(rows, self.lanes // n)) for n in range(min(columns, self.lanes), 0, -1)]
        return min(shapes, key=lambda s: -(-columns // s[0]) * -(-rows // s[1]))
