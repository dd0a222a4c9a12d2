"""Shape of the Hamming attention engine, read by its parts."""

from dataclasses import dataclass

from ..model.hamming_attention import HammingAttention
from ..model.part import check

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
        check(self.tokens >= 1, f"Tokens must be at least 1, not {self.tokens!r}")
        check(
            1 <= self.columns <= self.head_width,
            f"Columns must be between 1 and head_width={self.head_width!r}, not {self.columns!r}",
        )

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
        return -(-self.head_width // self.columns)

    @property
    def weight_width(self) -> int:
        """Unsigned width of a key's weight."""
        return max(n.weight_width for n in self.layers)

    @property
    def sum_width(self) -> int:
        """Unsigned width of the sum of a query's weights."""
        return max(n.sum_width(self.tokens) for n in self.layers)

    @property
    def cycles(self) -> int:
        """Cycles that all queries of a layer take at least: a key a cycle for each sweep."""
        return self.tokens * self.heads * max(self.groups * self.tokens, self.tokens + 1)
