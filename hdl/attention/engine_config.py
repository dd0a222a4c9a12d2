"""Shape of an attention engine: what those of all kinds have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...model.attention import Attention
from ...model.storage.part import check

__all__ = ["AttentionEngineConfig"]

Layer = TypeVar("Layer", bound=Attention, covariant=True)


@dataclass(frozen=True, kw_only=True)
class AttentionEngineConfig(Generic[Layer]):
    """Layers that one engine serves, and its lanes.

    Attributes
    ----------
    layers : tuple of Attention
        Equal in heads, head width, causality and what else shapes an engine of their kind.
    tokens : int
        n, tokens of a job.
    columns : int
        Value columns of a head that are worked on in a cycle.
    context : int
        Tokens of a context, which come in many jobs: what is kept of them, of all layers, stays
        from job to job. 0 if a job is a context of its own.
    dsp_divide : bool
        Normalise the sums in DSP blocks.
    two_cycle_multiply : bool
        Normalise a sum in two cycles, see :class:`Requantize`.
    registers : bool
        Register products before they are added.
    """

    layers: tuple[Layer, ...]
    tokens: int
    columns: int
    context: int = 0
    dsp_divide: bool = True
    two_cycle_multiply: bool = False
    registers: bool = True

    def __post_init__(self) -> None:
        check(self.causal or not self.context, "Contexts of many jobs need causal layers")

    @property
    def heads(self) -> int:
        """H."""
        return self.layers[0].heads

    @property
    def head_width(self) -> int:
        """C, value columns of a head."""
        return self.layers[0].head_width

    @property
    def causal(self) -> bool:
        """Whether only the keys 0 to i are visible to query i."""
        return self.layers[0].causal

    @property
    def max_keys(self) -> int:
        """Keys of a query at most."""
        return self.context or self.tokens

    @property
    def max_before(self) -> int:
        """Tokens of a context before a job's at most."""
        return self.context - 1

    @property
    def banks(self) -> int:
        """Layers whose keys and values, or states, are kept side by side."""
        return len(self.layers) if self.context else 1

    @property
    def streams(self) -> bool:
        """Whether the engine gives out tokens of a job before the last one has come."""
        return False

    @property
    def cycles(self) -> int:
        """Cycles of a layer at least, all tokens, in a full context."""
        raise NotImplementedError

    @property
    def mixing_cycles(self) -> int:
        """Cycles of a lone token at least, once it has come, in a full context."""
        return self.cycles

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of each block memory."""
        raise NotImplementedError

    @property
    def dsps(self) -> int:
        """Hardware multipliers."""
        raise NotImplementedError

    @property
    def cells(self) -> int:
        """LUT4s, estimated; the coefficients are fits to synthesised designs."""
        raise NotImplementedError
