"""Shape of the Hamming attention engine, read by its parts."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.arithmetic import ACTIVATION_BITS
from ...model.hamming_attention import HammingAttention
from ...model.storage.part import check
from ..lib.arithmetic import Popcount, product_cells
from ..lib.row_counter import row_lengths
from .engine_config import AttentionEngineConfig
from .weighted_sum_config import WeightedSumConfig

__all__ = ["HammingAttentionConfig"]


@dataclass(frozen=True, kw_only=True)
class HammingAttentionConfig(AttentionEngineConfig[HammingAttention]):
    """Layers that one engine serves, and its lanes; the rest as in the base class.

    Attributes
    ----------
    layers : tuple of HammingAttention
        Equal in heads, code bits, head width, weighting, causality and in how many keys they keep.
    columns : int
        Value columns of a key that are weighted in a cycle.
    dsp_values : bool
        Weight the values in DSP blocks.
    popcount : "tree" or "carry"
        How differing bits are counted, see :func:`popcount`.
    """

    dsp_values: bool = True
    popcount: Popcount = "tree"

    def __post_init__(self) -> None:
        shapes = {
            (n.heads, n.code_bits, n.head_width, n.weighting, n.causal, n.top_k)
            for n in self.layers
        }
        check(
            len(shapes) == 1,
            "Hamming attention layers must agree in heads, code bits, head width, weighting, "
            "causality and keys kept",
        )
        super().__post_init__()
        check(self.tokens == 1 or not self.context, "Contexts of many jobs need jobs of one token")
        _ = self.weighted_sum  # which checks tokens and columns

    @property
    def code_bits(self) -> int:
        """T."""
        return self.layers[0].code_bits

    @property
    def powers(self) -> bool:
        """Whether weights are powers of two."""
        return self.layers[0].weighting == "power"

    @property
    def top_k(self) -> int:
        """N, keys of a query that have a weight; 0 for all."""
        return 0 if self.layers[0].top_k >= self.max_keys else self.layers[0].top_k

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
        return (self.max_keys * max(n.largest for n in self.layers)).bit_length()

    @property
    def weighted_sum(self) -> WeightedSumConfig:
        """The values, and the lanes that weight them."""
        return WeightedSumConfig(
            tokens=self.max_keys,
            banks=self.banks if self.context else 0,
            heads=self.heads,
            head_width=self.head_width,
            columns=self.columns,
            weight_width=self.weight_width,
            sum_width=self.sum_width,
            causal=self.causal,
            powers=self.powers,
            dsp_values=self.dsp_values,
            dsp_divide=self.dsp_divide,
            two_cycle_multiply=self.two_cycle_multiply,
            registers=self.registers,
        )

    @property
    def cycles(self) -> int:
        """Cycles of a layer at least, in a full context: a key a cycle for each sweep."""
        pairs = sum(row_lengths(self.tokens, self.causal)) if not self.context else self.context
        return self.heads * self.groups * pairs

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of each block memory."""
        queries = self.heads * self.max_keys
        sizes = [queries, self.banks * queries]
        yield from ((self.code_bits, n) for n in (sizes if self.groups == 1 else [sum(sizes)]))
        width = 16 if self.powers else self.weight_width
        yield width, len(self.layers) * self.heads * (self.code_bits + 1)
        if self.top_k:
            yield self.code_bits.bit_length(), 2 << (self.max_keys - 1).bit_length()
        yield from self.weighted_sum.memories

    @property
    def dsps(self) -> int:
        """Hardware multipliers."""
        return self.weighted_sum.dsps

    @property
    def cells(self) -> int:
        """LUT4s, estimated; the coefficients are fits to synthesised designs."""
        weighting = 40 if self.powers else 0
        if not self.powers and not self.dsp_values:
            weighting = product_cells(self.weight_width, ACTIVATION_BITS)
        cells = self.columns * (2 * (self.sum_width + 8) + 10 + weighting) + 350
        cells += 3 * self.code_bits + (0 if self.dsp_divide else 600)
        cells += (self.code_bits + 1) * (3 * self.top_k.bit_length() + 4) if self.top_k else 0
        cells += 150 if any(layer.alibi.any() for layer in self.layers) else 0
        return cells + (self.columns * 18 + 200 if self.registers else 0)
