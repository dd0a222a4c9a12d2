"""Parts of blocks with random weights, from one source of random numbers."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..model.attention import Attention
from ..model.kinds.option import Value
from ..model.kinds.registry import ATTENTIONS, MLPS
from ..model.linear import Linear
from ..model.network.transformer import Block

__all__ = ["SHIFT", "BlockShape", "Draw"]

SHIFT = 12
"""s of Eq. 2."""


@dataclass(frozen=True, kw_only=True)
class BlockShape:
    """Everything about the blocks of a network but their weights."""

    dim: int = 8  # D
    depth: int = 1
    heads: int = 1
    head_dim: int | None = None  # D / heads if None
    causal: bool = False
    attention: str = "hamming"
    code_bits: int = 8  # T, or b
    weighting: Literal["table", "power"] = "table"
    alibi: bool = False
    top_k: int = 0
    hash: Literal["kernel", "linear"] = "kernel"
    anchors: int = 5  # m
    form: Literal["signed", "own", "and"] = "signed"
    exponential: Literal["table", "shiftmax"] = "table"
    mlp: str = "weightless"
    luts: tuple[int, ...] = (16,)  # N of each LUT layer
    fan_in: int = 4
    thermometer_bits: int = 3  # B
    readout: Literal["dense", "grouped"] = "dense"
    kind: Literal["ternary", "int8"] = "ternary"
    options: tuple[tuple[str, Value], ...] = ()  # of kinds that other packages register

    def option(self, name: str) -> Any:
        """Return the value of an option that another package's kind brings."""
        return dict(self.options)[name]

    @property
    def values(self) -> int:
        """Value columns of all heads."""
        return self.heads * (self.head_dim or self.dim // self.heads)


class Draw:
    """Parts of a shape, from one source of random numbers."""

    def __init__(self, shape: BlockShape, seed: int) -> None:
        self.shape, self.rng = shape, np.random.default_rng(seed)

    @property
    def top(self) -> int:
        """Largest weight."""
        return 1 if self.shape.kind == "ternary" else 127

    def linear(self, rows: int, columns: int, gain: float = 0.0) -> Linear:
        """Scale the output to ``gain`` times the input's deviation; 0 leaves it unscaled."""
        weight = self.rng.integers(-self.top, self.top + 1, (rows, columns))
        spread = np.sqrt((weight.astype(float) ** 2).mean() * columns) + 1e-9
        bias = self.rng.integers(-int(16 * spread) - 1, int(16 * spread) + 2, rows)
        scale = gain / spread * (1 << SHIFT) * self.rng.uniform(0.7, 1.4, rows)
        multiplier = np.clip(np.round(scale), 0 if not gain else 1, (1 << 15) - 1)
        return Linear(
            kind=self.shape.kind, weight=weight, bias=bias, multiplier=multiplier.astype(int)
        )

    def blocks(self) -> tuple[Block, ...]:
        """Return all blocks."""
        mlp = MLPS.named(self.shape.mlp).load_random()
        return tuple(
            Block(attention=self.attention(), mlp=mlp(self)) for _ in range(self.shape.depth)
        )

    def attention(self) -> Attention:
        """Return an attention layer of the shape's kind."""
        return ATTENTIONS.named(self.shape.attention).load_random()(self)

    def common(self) -> dict[str, Any]:
        """Return the fields that all attention layers have."""
        shape = self.shape
        return {
            "heads": shape.heads,
            "causal": shape.causal,
            "value": self.linear(shape.values, shape.dim, 1.0),
            "output": self.linear(shape.dim, shape.values, 16.0),
        }
