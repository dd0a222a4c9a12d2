"""The linear layers of a network in the order of its program, and where their data go."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from typing import Literal

from ...model.linear import Linear
from ...model.network.gpt import Gpt
from ...model.network.transformer import Transformer
from ...model.network.vit import Network
from ..attention.kinds import project
from ..mlp.kinds import linear_layers

__all__ = ["ENDLESS", "Pass", "context", "passes", "vectors"]

ENDLESS = (1 << 16) - 1
"""Tokens after which a context without an end counts as one that long."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One layer of ``MatVec``.

    Attributes
    ----------
    stage : str
        What the pass does.
    block : int or None
        Of the network; None before and after all blocks.
    layer : Linear
    source : str
        Where its vectors come from.
    raw : int
        Of its first rows, how many leave as accumulators.
    raw_to, scaled_to : str or None
        Where accumulators, and requantised outputs, go.
    """

    stage: str
    block: int | None
    layer: Linear
    source: Literal["patches", "norm", "attention", "mlp"]
    raw: int = 0
    raw_to: Literal["codes", "logits"] | None = None
    scaled_to: Literal["values", "mlp", "residual"] | None = None

    @property
    def name(self) -> str:
        """Of the pass in the program."""
        return self.stage if self.block is None else f"{self.stage} {self.block}"


@singledispatch
def vectors(network: Transformer) -> int:
    """Return the number of tokens of a pass: all of them, or one."""
    raise TypeError(f"{type(network).__name__} has no hardware")


@vectors.register
def _(network: Network) -> int:
    return network.tokens


@vectors.register
def _(network: Gpt) -> int:
    return 1


@singledispatch
def context(network: Transformer) -> int:
    """Return the tokens of a context that continues across runs; 0 if every run has its own."""
    raise TypeError(f"{type(network).__name__} has no hardware")


@context.register
def _(network: Network) -> int:
    return 0


@context.register
def _(network: Gpt) -> int:
    return ENDLESS if network.endless else network.block_size


@lru_cache(maxsize=2)  # a planner asks for them again and again
def passes(network: Transformer) -> tuple[Pass, ...]:
    """Return the passes through ``MatVec``, as they come in the program."""
    return _listed(network)


@singledispatch
def _listed(network: Transformer) -> tuple[Pass, ...]:
    raise TypeError(f"{type(network).__name__} has no hardware")


@_listed.register
def _(network: Network) -> tuple[Pass, ...]:
    patch = network.embedding.patch
    embed = Pass(stage="embed", block=None, layer=patch, source="patches", scaled_to="residual")
    return (embed, *_passes(network))


@_listed.register
def _(network: Gpt) -> tuple[Pass, ...]:
    return tuple(_passes(network))


def _passes(network: Transformer) -> Iterator[Pass]:
    head = network.head
    for n, block in enumerate(network.blocks):
        projection = project(block.attention)
        yield Pass(
            stage="project",
            block=n,
            layer=projection.layer,
            source="norm",
            raw=projection.raw,
            raw_to="codes" if projection.raw else None,
            scaled_to="values",
        )
        yield Pass(
            stage="mix",
            block=n,
            layer=block.attention.output,
            source="attention",
            scaled_to="residual",
        )
        around = linear_layers(block.mlp)
        if around is not None:
            first, last = around
            yield Pass(stage="expand", block=n, layer=first, source="norm", scaled_to="mlp")
            yield Pass(stage="reduce", block=n, layer=last, source="mlp", scaled_to="residual")
    yield Pass(
        stage="head", block=None, layer=head, source="norm", raw=head.out_features, raw_to="logits"
    )
