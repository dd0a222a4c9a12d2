"""Shape of the Hamming attention engine, read by its parts."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..model.hamming_attention import HammingAttention
from ..model.part import check
from .arithmetic import Popcount
from .weighted_sum_config import WeightedSumConfig

__all__ = ["HammingAttentionConfig"]


@dataclass(frozen=True, kw_only=True)
class HammingAttentionConfig:
    """Layers that one engine serves, and its lanes.

    Attributes
    ----------
    layers : tuple of HammingAttention
        Equal in heads, code bits, head width, weighting, causality and in how many keys they keep.
    tokens : int
        n, queries and keys.
    columns : int
        Value columns of a key that are weighted in a cycle.
    dsp_values, dsp_divide : bool
        Weight the values, and normalise the sums, in DSP blocks.
    narrow : bool
        Normalise a sum in two cycles, see :class:`Requantize`.
    registers : bool
        Register products before they are added.
    popcount : "tree" or "carry"
        How differing bits are counted, see :func:`popcount`.
    """

    layers: tuple[HammingAttention, ...]
    tokens: int
    columns: int
    dsp_values: bool = True
    dsp_divide: bool = True
    narrow: bool = False
    registers: bool = True
    popcount: Popcount = "tree"

    def __post_init__(self) -> None:
        shapes = {
            (n.heads, n.code_bits, n.head_width, n.weighting, n.causal, n.keep) for n in self.layers
        }
        check(
            len(shapes) == 1,
            "Hamming attention layers must agree in heads, code bits, head width, weighting, "
            "causality and keys kept",
        )
        _ = self.weighted_sum  # which checks tokens and columns

    @property
    def heads(self) -> int:
        """H."""
        return self.layers[0].heads

    @property
    def code_bits(self) -> int:
        """T."""
        return self.layers[0].code_bits

    @property
    def head_width(self) -> int:
        """Value columns of a head."""
        return self.layers[0].head_width

    @property
    def powers(self) -> bool:
        """Whether weights are powers of two."""
        return self.layers[0].weighting == "power"

    @property
    def causal(self) -> bool:
        """Whether query i sees the keys 0 to i only."""
        return self.layers[0].causal

    @property
    def keep(self) -> int:
        """N, keys of a query that have a weight; 0 for all."""
        return 0 if self.layers[0].keep >= self.tokens else self.layers[0].keep

    @property
    def groups(self) -> int:
        """Sweeps over the keys that a head takes."""
        return self.weighted_sum.groups

    @property
    def weight_width(self) -> int:
        """Unsigned width of a key's weight."""
        return max(n.largest for n in self.layers).bit_length()

    @property
    def sum_width(self) -> int:
        """Unsigned width of the sum of a query's weights."""
        return (self.tokens * max(n.largest for n in self.layers)).bit_length()

    @property
    def weighted_sum(self) -> WeightedSumConfig:
        """The values, and the lanes that weight them."""
        return WeightedSumConfig(
            tokens=self.tokens,
            heads=self.heads,
            head_width=self.head_width,
            columns=self.columns,
            weight_width=self.weight_width,
            sum_width=self.sum_width,
            causal=self.causal,
            powers=self.powers,
            dsp_values=self.dsp_values,
            dsp_divide=self.dsp_divide,
            narrow=self.narrow,
            registers=self.registers,
        )

    @property
    def cycles(self) -> int:
        """Cycles that all queries of a layer take at least: a key a cycle for each sweep."""
        pairs = self.tokens * (self.tokens + 1) // 2 if self.causal else self.tokens**2
        return self.heads * self.groups * pairs

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of each block memory."""
        codes = self.heads * self.tokens
        yield from (
            [(self.code_bits, codes)] * 2 if self.groups == 1 else [(self.code_bits, 2 * codes)]
        )
        width = 16 if self.powers else self.weight_width
        yield width, len(self.layers) * self.heads * (self.code_bits + 1)
        if self.keep:
            yield self.code_bits.bit_length(), 2 << (self.tokens - 1).bit_length()
        yield from self.weighted_sum.memories

    @property
    def dsps(self) -> int:
        """Hardware multipliers."""
        return self.weighted_sum.dsps

    @property
    def cells(self) -> int:
        """LUT4s, estimated; the coefficients are fits to synthesised designs."""
        weighting = 40 if self.powers else 0 if self.dsp_values else 110
        cells = self.columns * (2 * (self.sum_width + 8) + 10 + weighting) + 350
        cells += 3 * self.code_bits + (0 if self.dsp_divide else 500)
        cells += (self.code_bits + 1) * (3 * self.keep.bit_length() + 4) if self.keep else 0
        cells += 150 if any(layer.penalty.any() for layer in self.layers) else 0
        return cells + (self.columns * 18 + 200 if self.registers else 0)
