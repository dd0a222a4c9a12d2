"""Shape of the linear attention engine, read by its parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from amaranth.hdl import signed
from amaranth.lib import data
from numpy.typing import NDArray

from ...model.arithmetic import ACTIVATION_BITS, signed_width
from ...model.kernel_hash import KernelHash
from ...model.linear_attention import LinearAttention
from ...model.storage.part import check
from ..lib.reciprocal import Reciprocal
from ..lib.requantize import DSP_BITS
from .engine_config import AttentionEngineConfig
from .kernel_hash_config import KernelHashConfig

__all__ = ["LinearAttentionConfig"]

LARGEST = 1 << ACTIVATION_BITS - 1  # magnitude of a value


@dataclass(frozen=True, kw_only=True)
class LinearAttentionConfig(AttentionEngineConfig[LinearAttention]):
    """Layers that one engine serves, and its lanes; the rest as in the base class.

    Attributes
    ----------
    layers : tuple of LinearAttention
        Equal in heads, head width, code bits, form, fraction, causality and kind of hash.
    columns : int
        Value columns of a state's row that are worked on in a cycle.
    hash_lanes : int
        See ``lanes`` of :class:`KernelHashConfig`.
    dsp_divide : bool
        Normalise the sums, and scale a kernel hash's cosines, in DSP blocks.
    registers : bool
        Register what is added to a running sum, and whether sums are taken, for which all of them
        wait; and see :class:`Requantize`.
    """

    hash_lanes: int = 1

    def __post_init__(self) -> None:
        shapes = {
            (
                type(n.hash),
                n.heads,
                n.head_width,
                n.code_bits,
                n.form,
                n.fraction,
                n.causal,
                n.shared,
            )
            for n in self.layers
        }
        check(
            len(shapes) == 1,
            "Linear attention layers must agree in heads, head width, code bits, form, fraction, "
            "causality and kind of hash",
        )
        check(self.tokens >= 1, f"Tokens must be at least 1, not {self.tokens!r}")
        super().__post_init__()
        check(
            1 <= self.columns <= self.head_width,
            f"Columns must be between 1 and head_width={self.head_width!r}, not {self.columns!r}",
        )

    @property
    def code_bits(self) -> int:
        """Bits of a code, b."""
        return self.layers[0].code_bits

    @property
    def form(self) -> str:
        """Form of the weights."""
        return self.layers[0].form

    @property
    def fraction(self) -> int:
        """F."""
        return self.layers[0].fraction

    @property
    def shared(self) -> bool:
        """Whether queries and keys have the same codes."""
        return self.layers[0].shared

    @cached_property
    def kernel(self) -> KernelHashConfig | None:
        """The engine that makes the codes, None for a linear hash."""
        hashes = tuple(n.hash for n in self.layers if isinstance(n.hash, KernelHash))
        if not hashes:
            return None
        return KernelHashConfig(
            layers=hashes,
            tokens=self.tokens,
            lanes=self.hash_lanes,
            dsp=self.dsp_divide,
            registers=self.registers,
        )

    @property
    def groups(self) -> int:
        """Sweeps over a head's rows."""
        return -(-self.head_width // self.columns)

    @property
    def rows(self) -> int:
        """Rows of a head's state."""
        return self.code_bits + 1

    @property
    def words(self) -> int:
        """Words of all states: row by row, group by group, head by head."""
        return self.heads * self.groups * self.rows

    @property
    def max_before(self) -> int:
        """Tokens of a context before a job's at most, in a context without an end as well."""
        return self.context

    @property
    def streams(self) -> bool:
        """Whether a job's tokens leave while others come: one pass, that no context holds up."""
        return self.causal and not self.context

    @property
    def depth(self) -> int:
        """Cycles from a word's reading until it can be read again."""
        return 3 + self.registers

    @property
    def kept_tokens(self) -> int:
        """Tokens whose queries are kept: all, or in a causal layer one in use and one to come."""
        return min(self.tokens, 2) if self.causal else self.tokens

    @property
    def kept_values(self) -> int:
        """Tokens whose values are kept: all that a second pass needs, or two."""
        return self.kept_tokens if self.form == "own" else min(self.tokens, 2)

    @cached_property
    def decays(self) -> NDArray[Any]:
        """Shifts s of each layer and head."""
        return np.array([n.decay for n in self.layers])

    @property
    def sum_width(self) -> int:
        """w, unsigned width of a denominator."""
        return max(n.sum_width(self.max_keys) for n in self.layers)

    @property
    def acc_width(self) -> int:
        """Signed width of a numerator."""
        return self.sum_width + ACTIVATION_BITS

    @property
    def column_width(self) -> int:
        """Signed width of a running sum of values."""
        return signed_width(-LARGEST * self._ones, LARGEST * self._ones)

    @property
    def ones_width(self) -> int:
        """Signed width of a running sum of ones."""
        return signed_width(-self._ones, self._ones)

    @property
    def _ones(self) -> int:
        """An upper bound of the running sum of ones."""
        return max(n.reach(self.max_keys) * max(n.bias, 1 << n.fraction) for n in self.layers)

    @property
    def quotient_reach(self) -> int:
        """Signed width that no rounded quotient exceeds before it is saturated.

        A mean of values is a value. The form "own" replaces the bias times the others' values,
        which are at most n while the denominator is at least n. With decay each of the rows of
        either sum is off by up to ``2**(s - 1)``, while the denominator is at least 1.
        """
        top = LARGEST
        if self.form == "own":
            top += LARGEST * max(n.bias for n in self.layers)
        if self.decays.any():
            top += (2 * LARGEST + 1) * (self.rows << int(self.decays.max()) - 1)
        return signed_width(-top - 1, top + 1)

    @property
    def scale_interval(self) -> int:
        """Cycles in which one sum is normalised."""
        return 2 if self.two_cycle_multiply and self.dsp_divide and self.acc_width > DSP_BITS else 1

    @property
    def reciprocals(self) -> int:
        """Reciprocals under way at a time, so that the sweeps need not wait."""
        busy = Reciprocal.cycles(self.sum_width) + 1 + self.registers
        return -(-busy // (self.rows * self.groups))

    @property
    def queue(self) -> int:
        """Sums that come while the reciprocal of their denominator is taken, and two more."""
        sweeps = (Reciprocal.cycles(self.sum_width) + 2) // self.rows + 1
        return sweeps * self.columns + 2

    @property
    def sums_layout(self) -> data.StructLayout:
        """Sums of a group of columns; ``leading`` marks a head's first group, with its ``ones``."""
        return data.StructLayout(
            {
                "columns": data.ArrayLayout(signed(self.acc_width), self.columns),
                "ones": self.sum_width,
                "leading": 1,
            }
        )

    @property
    def cycles(self) -> int:
        """Cycles that all tokens of a layer take at least: a row a cycle in each pass.

        A pass is slower where values and codes come in, or mixed values go out, more slowly.
        """
        codes = self.code_bits * (1 if self.shared else 2)
        arrival = max(codes, self.head_width)
        if self.kernel is not None:
            arrival = self.head_width + self.kernel.interval
        sweep = max(self.words, self.depth)
        leaving = self.heads * self.head_width * self.scale_interval
        first, second = max(sweep, self.heads * arrival), max(sweep, leaving)
        return self.tokens * (max(first, second) if self.causal else first + second)

    @property
    def mixing_cycles(self) -> int:
        """Cycles of a lone token at least, once it has come."""
        return max(self.words, self.depth, self.heads * self.head_width * self.scale_interval)

    @property
    def cells(self) -> int:
        """LUT4s, estimated."""
        sums = self.columns * (4 * self.column_width + 2 * self.acc_width)
        return (
            sums
            + (700 if self.dsp_divide else 1350)
            + (0 if self.kernel is None else 900 + 20 * self.hash_lanes)
        )

    @property
    def dsps(self) -> int:
        """Hardware multipliers: of the normalisation, and of a kernel hash."""
        wide = 1 if self.two_cycle_multiply or self.acc_width <= DSP_BITS else 2
        return wide * self.dsp_divide + (0 if self.kernel is None else self.kernel.dsps)

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of every block memory."""
        yield self.columns * self.column_width, self.banks * self.words
        yield self.ones_width, self.banks * self.heads * self.rows
        yield self.code_bits, self.kept_tokens * self.heads
        if not self.shared:
            yield self.code_bits, min(self.tokens, 2) * self.heads
        value_words = self.heads * self.groups
        yield ACTIVATION_BITS * self.columns, self.kept_values * value_words
        yield self.acc_width, self.queue
        if self.kernel is not None:
            yield from self.kernel.memories
