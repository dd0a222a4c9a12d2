"""Shape of the softmax attention engine, read by its parts."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.arithmetic import ACTIVATION_BITS, signed_width
from ...model.linear import MULTIPLIER_BITS
from ...model.softmax_attention import SCORES, SHIFTMAX_BITS, SoftmaxAttention
from ...model.storage.part import check
from ..lib.arithmetic import product_cells
from ..lib.row_counter import row_lengths
from .engine_config import AttentionEngineConfig
from .weighted_sum_config import WeightedSumConfig

__all__ = ["FACTOR_BITS", "SoftmaxAttentionConfig"]

FACTOR_BITS = 31
"""Width of I-ViT's reciprocal of a row's sum."""
DSP_BITS = 16


@dataclass(frozen=True, kw_only=True)
class SoftmaxAttentionConfig(AttentionEngineConfig[SoftmaxAttention]):
    """Layers that one engine serves, and its lanes; the rest as in the base class.

    Attributes
    ----------
    layers : tuple of SoftmaxAttention
        Equal in heads, key width, head width, causality and kind of exponential.
    columns : int
        Elements of a key that are multiplied in a cycle, and value columns that are weighted.
    dsp_scores, dsp_scale, dsp_values, dsp_divide : bool
        Multiply queries and keys, scale the scores, weight the values, and normalise, in DSP
        blocks.
    two_cycle_multiply : bool
        Normalise a sum, or scale a score that takes two cycles anyway, in two cycles; see
        :class:`Requantize`.
    """

    dsp_scores: bool = True
    dsp_scale: bool = True
    dsp_values: bool = True

    def __post_init__(self) -> None:
        shapes = {
            (n.heads, n.key_width, n.head_width, n.causal, n.exponential) for n in self.layers
        }
        check(
            len(shapes) == 1,
            "Softmax attention layers must agree in heads, widths, causality and exponential",
        )
        top = max(self.key_width, self.head_width)
        check(
            1 <= self.columns <= top,
            f"Columns must be between 1 and {top}, the width of a head, not {self.columns!r}",
        )
        super().__post_init__()
        check(self.tokens == 1 or not self.context, "Contexts of many jobs need jobs of one token")
        _ = self.weighted_sum  # which checks the tokens

    @property
    def key_width(self) -> int:
        """Elements of a head's query."""
        return self.layers[0].key_width

    @property
    def shiftmax(self) -> bool:
        """Whether probabilities are rounded before the values are summed (Eq. 25)."""
        return self.layers[0].exponential == "shiftmax"

    @property
    def key_columns(self) -> int:
        """Elements of a key in a word of memory."""
        return min(self.columns, self.key_width)

    @property
    def key_groups(self) -> int:
        """Words of a head's query or key: the cycles of a scalar product."""
        return -(-self.key_width // self.columns)

    @property
    def product_width(self) -> int:
        """Signed width of a scalar product."""
        return signed_width(-self._reach, self._reach)

    @property
    def score_width(self) -> int:
        """Signed width that no scaled scalar product exceeds before it is saturated."""
        largest = max((self._reach * n.multiplier >> n.shift) + 1 for n in self.layers)
        return signed_width(-largest, largest)

    @property
    def narrow_scores(self) -> bool:
        """Whether the scaling of a score takes two cycles."""
        return self.two_cycle_multiply and self.key_groups > 1

    @property
    def weight_width(self) -> int:
        """Unsigned width of an exponential."""
        return max(n.largest for n in self.layers).bit_length()

    @property
    def sum_width(self) -> int:
        """Unsigned width of the sum of a query's exponentials."""
        return (self.max_keys * max(n.largest for n in self.layers)).bit_length()

    @property
    def queue_depth(self) -> int:
        """Exponentials of Eq. 25 that wait for their row's sum and its division."""
        return self.max_keys + FACTOR_BITS + 5

    @property
    def weighted_sum(self) -> WeightedSumConfig:
        """The values, and the lanes that weight them."""
        # Probabilities of a row exceed 1 in sum only if I-ViT's limit holds its sum down.
        probabilities = max(SHIFTMAX_BITS, self.sum_width - SHIFTMAX_BITS - 1)
        return WeightedSumConfig(
            tokens=self.max_keys,
            banks=self.banks if self.context else 0,
            heads=self.heads,
            head_width=self.head_width,
            columns=min(self.columns, self.head_width),
            weight_width=SHIFTMAX_BITS if self.shiftmax else self.weight_width,
            sum_width=probabilities if self.shiftmax else self.sum_width,
            causal=self.causal,
            fraction=SHIFTMAX_BITS if self.shiftmax else None,
            dsp_values=self.dsp_values,
            dsp_divide=self.dsp_divide,
            two_cycle_multiply=self.two_cycle_multiply,
            registers=self.registers,
        )

    @property
    def cycles(self) -> int:
        """Cycles of a layer at least, in a full context: a key a cycle for each sweep."""
        keys = self.context or sum(row_lengths(self.tokens, self.causal))
        return self.heads * keys * max(self.key_groups, self.weighted_sum.groups)

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of every block memory."""
        width, words = ACTIVATION_BITS * self.key_columns, self.heads * self.key_groups
        yield width, max(2, self.tokens * words)  # queries
        yield width, max(2, self.banks * self.max_keys * words)  # keys
        yield ACTIVATION_BITS, 2 << (self.max_keys - 1).bit_length()  # scores
        yield self.weight_width, len(self.layers) * SCORES
        if self.shiftmax:
            yield self.weight_width, self.queue_depth
        yield from self.weighted_sum.memories

    @property
    def cells(self) -> int:
        """LUT4s, estimated."""
        sums = self.columns * (2 * (self.sum_width + ACTIVATION_BITS) + 10)
        products = self.columns * (20 if self.dsp_scores else 180)
        if not self.dsp_values:
            products += self.columns * product_cells(self.weight_width, ACTIVATION_BITS)
        products += (0 if self.dsp_scale else 400) + (0 if self.dsp_divide else 600)
        return sums + products + 700 + (600 if self.shiftmax else 0) + 18 * self.columns

    @property
    def dsps(self) -> int:
        """DSP blocks, of 16 bits, that multiply."""
        wide = self.product_width > DSP_BITS and not self.narrow_scores
        # Of 31 bits that are needed of the product, the upper halves reach none.
        factor = 2 if self.weight_width <= DSP_BITS else 3
        return (
            self.key_columns * self.dsp_scores
            + (2 if wide else 1) * self.dsp_scale
            + factor * (self.shiftmax and self.dsp_divide)
            + self.weighted_sum.dsps
        )

    @property
    def multiplier_width(self) -> int:
        """Unsigned width of a layer's multiplier."""
        return min(MULTIPLIER_BITS - 1, max(n.multiplier for n in self.layers).bit_length())

    @property
    def _reach(self) -> int:
        return self.key_width << 2 * (ACTIVATION_BITS - 1)
