"""Shape of the weighted sum of values, read by the attention engines."""

from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.hdl import ShapeLike, unsigned
from amaranth.lib import data

from ...model.arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS
from ...model.storage.part import check

__all__ = ["WeightedSumConfig"]


@dataclass(frozen=True, kw_only=True)
class WeightedSumConfig:
    """Values and weights of an attention layer, and the lanes that join them.

    Attributes
    ----------
    tokens : int
        n, queries and keys at most.
    heads : int
        H.
    head_width : int
        C, value columns of a head.
    columns : int
        Value columns of a key that are weighted in a cycle.
    weight_width : int
        Unsigned width of a key's weight.
    sum_width : int
        Unsigned width of the sum of a query's weights.
    causal : bool
        Query i has weights for the keys 0 to i only.
    banks : int
        Layers whose values are kept side by side, each token's joined to those before it; 0 to
        store the values of all tokens before their queries come.
    powers : bool
        Weights are powers of two, or 0: values are shifted.
    fraction : int or None
        Fractional bits of weights whose sum is 1 already; None to normalise by their sum.
    dsp_values, dsp_divide : bool
        Weight the values, and normalise the sums, in DSP blocks.
    two_cycle_multiply : bool
        Normalise a sum in two cycles, see :class:`Requantize`.
    registers : bool
        Register products before they are added.
    """

    tokens: int
    heads: int
    head_width: int
    columns: int
    weight_width: int
    sum_width: int
    causal: bool = False
    banks: int = 0
    powers: bool = False
    fraction: int | None = None
    dsp_values: bool = True
    dsp_divide: bool = True
    two_cycle_multiply: bool = False
    registers: bool = True

    def __post_init__(self) -> None:
        check(self.tokens >= 1, f"Tokens must be at least 1, not {self.tokens!r}")
        check(
            1 <= self.columns <= self.head_width,
            f"Columns must be between 1 and head_width={self.head_width!r}, not {self.columns!r}",
        )
        check(
            not (self.powers and self.fraction is not None),
            "Powers of two must be normalised: their sum is not 1",
        )

    @property
    def groups(self) -> int:
        """Sweeps over the keys that a head takes."""
        return -(-self.head_width // self.columns)

    @property
    def weight_shape(self) -> ShapeLike:
        """What the stream of weights carries: the weight, or its exponent and whether it has one.

        A power of two is ``keep << exponent``.
        """
        if self.powers:
            return data.StructLayout({"exponent": range(self.weight_width), "keep": 1})
        return unsigned(self.weight_width)

    @property
    def sum_shift(self) -> int:
        """Largest shift that scales a sum."""
        if self.fraction is not None:
            return self.fraction
        return self.sum_width + RECIPROCAL_BITS - 1

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of every block memory."""
        depth = max(self.banks, 1) * self.heads * self.groups * self.tokens
        yield ACTIVATION_BITS * self.columns, depth
        width = (self.weight_width - 1).bit_length() + 1 if self.powers else self.weight_width
        yield width, 2 << (self.tokens - 1).bit_length()

    @property
    def dsps(self) -> int:
        """DSP blocks, of 16 bits, that multiply."""
        values = 0 if self.powers or not self.dsp_values else self.columns
        if self.fraction is not None or not self.dsp_divide:
            return values
        wide = self.sum_width + ACTIVATION_BITS > 16 and not self.two_cycle_multiply
        return values + (2 if wide else 1)
