"""Shape of the Hamming attention engine, read by its parts."""

from dataclasses import dataclass

from ..model.hamming_attention import HammingAttention
from ..model.part import check
from .weighted_sum_config import WeightedSumConfig

__all__ = ["HammingAttentionConfig"]


@dataclass(frozen=True, kw_only=True)
class HammingAttentionConfig:
    """Layers that one engine serves, and its lanes.

    Attributes
    ----------
    layers : tuple of HammingAttention
        Equal in heads, code bits and head width.
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
    """

    layers: tuple[HammingAttention, ...]
    tokens: int
    columns: int
    dsp_values: bool = True
    dsp_divide: bool = True
    narrow: bool = False
    registers: bool = True

    def __post_init__(self) -> None:
        shapes = {(n.heads, n.code_bits, n.head_width) for n in self.layers}
        check(
            len(shapes) == 1,
            "Hamming attention layers must agree in heads, code bits and head width",
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
            dsp_values=self.dsp_values,
            dsp_divide=self.dsp_divide,
            narrow=self.narrow,
            registers=self.registers,
        )

    @property
    def cycles(self) -> int:
        """Cycles that all queries of a layer take at least: a key a cycle for each sweep."""
        return self.tokens * self.heads * max(self.groups * self.tokens, self.tokens + 1)
