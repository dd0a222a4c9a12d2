"""The common part of transformers of all families: blocks, layer norms and a head."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..arithmetic import RESIDUAL_BITS, Integers, clamp
from ..attention import Attention, KVCache, attend
from ..layer_norm import LayerNormConfig, layer_norm
from ..linear import Linear, scaled_linear
from ..mlp import Mlp, mlp
from ..storage.part import Part, check
from .stored_network import StoredNetwork

__all__ = ["Block", "Transformer", "run_blocks"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Block(Part):
    """One transformer block: ``x += attention(norm(x)); x += mlp(norm(x))``."""

    attention: Attention
    mlp: Mlp


@dataclass(frozen=True, kw_only=True, eq=False)
class Transformer(StoredNetwork):
    """A trained transformer in integers, of whatever family.

    Attributes
    ----------
    blocks : tuple of Block
    head : Linear [outputs, D]
    fraction : int
        f, fractional bits of layer norm outputs.
    requant_shift : int
        s of Eq. 2, common to all linear layers.
    """

    blocks: tuple[Block, ...]
    head: Linear
    fraction: int
    requant_shift: int

    def __post_init__(self) -> None:
        self.require(len(self.blocks) >= 1, "blocks must hold at least one block")
        self.require(
            1 <= self.requant_shift <= 30,
            f"requant_shift must be 1 to 30, not {self.requant_shift!r}",
        )
        width = self.norm.width
        for n, block in enumerate(self.blocks):
            for name, found in (("attention", block.attention.width), ("mlp", block.mlp.width)):
                self.require(
                    found == width, f"blocks[{n}].{name} must have width {width}, not {found}"
                )
        columns = self.head.in_features
        self.require(columns == width, f"head must have {width} columns, not {columns}")

    def require(self, condition: bool, message: str) -> None:
        """Raise ValueError with the name of the class and ``message`` unless ``condition``."""
        check(condition, f"{type(self).__name__}.{message}")

    @property
    def width(self) -> int:
        """D, channels of the residual stream."""
        raise NotImplementedError

    @property
    def outputs(self) -> int:
        """Logits of an inference."""
        return self.head.out_features

    @property
    def norm(self) -> LayerNormConfig:
        """Shape of every layer norm."""
        return LayerNormConfig(width=self.width, fraction=self.fraction)


def run_blocks(
    network: Transformer, x: Integers, caches: list[KVCache] | None = None
) -> dict[str, NDArray[Any]]:
    """Return every integer of the blocks over residual tokens int16 [..., n, D].

    By name, in order of computation, for each block ``blocks.N.``: ``norm1`` [n, D], what the
    attention layer makes, ``value`` and ``mixed`` [n, heads * head_width] among it, ``attention``
    [n, D] (the residual stream after it), ``norm2`` [n, D], what the MLP makes, ``mlp`` [n, D]
    (the residual stream after it).

    Parameters
    ----------
    network : Transformer
    x : int16 [..., n, D]
    caches : list of KVCache or None
        Of each block, the tokens that its causal attention has seen before these; ``x`` is added.
    """
    out: dict[str, NDArray[Any]] = {}
    for n, block in enumerate(network.blocks):
        integers = _run_block(network, block, x, caches[n] if caches else None)
        out |= {f"blocks.{n}.{name}": value for name, value in integers.items()}
        x = integers["mlp"]
    return out


def _run_block(
    network: Transformer, block: Block, x: Integers, cache: KVCache | None
) -> dict[str, NDArray[Any]]:
    shift = network.requant_shift
    out: dict[str, NDArray[Any]] = {"norm1": layer_norm(network.norm, x)}
    out |= attend(block.attention, out["norm1"], shift, cache or KVCache())
    increment = scaled_linear(block.attention.output, out["mixed"], shift, RESIDUAL_BITS)
    out["attention"] = clamp(x + increment, RESIDUAL_BITS)
    out["norm2"] = layer_norm(network.norm, out["attention"])
    out |= mlp(block.mlp, out["norm2"], shift)
    out["mlp"] = clamp(out["attention"] + out.pop("increment"), RESIDUAL_BITS)
    return out
