"""The contract between training and hardware, of vision transformers: a tree of integers."""

from dataclasses import dataclass
from pathlib import Path

from .embedding import Embedding
from .gelu_mlp import GeluMlp
from .hamming_attention import HammingAttention
from .layer_norm import LayerNormConfig
from .linear import Linear
from .linear_attention import LinearAttention
from .network_file import NetworkError, StoredNetwork, load_network
from .part import Part, check
from .softmax_attention import SoftmaxAttention
from .weightless_mlp import WeightlessMlp

__all__ = ["Block", "Network", "load"]

Attention = HammingAttention | LinearAttention | SoftmaxAttention
Mlp = WeightlessMlp | GeluMlp


@dataclass(frozen=True, kw_only=True, eq=False)
class Block(Part):
    """One transformer block: ``x += attention(norm(x)); x += mlp(norm(x))``."""

    attention: Attention
    mlp: Mlp


@dataclass(frozen=True, kw_only=True, eq=False)
class Network(StoredNetwork):
    """A trained vision transformer in integers.

    Attributes
    ----------
    fraction : int
        f, fractional bits of layer norm outputs.
    requant_shift : int
        s of Eq. 2, common to all linear layers.
    pixel_max : int
        Largest raw pixel value of the dataset; it maps to byte 255.
    """

    embedding: Embedding
    blocks: tuple[Block, ...]
    head: Linear
    fraction: int
    requant_shift: int
    pixel_max: int = 255

    def __post_init__(self) -> None:
        check(len(self.blocks) >= 1, "Network.blocks must hold at least one block")
        check(
            1 <= self.requant_shift <= 30,
            f"Network.requant_shift must be 1 to 30, not {self.requant_shift!r}",
        )
        check(
            len(self.class_names) == self.head.rows,
            f"Network.class_names must name {self.head.rows} classes, not {len(self.class_names)}",
        )
        check(
            1 <= self.pixel_max <= 65535,
            f"Network.pixel_max must be 1 to 65535, not {self.pixel_max!r}",
        )
        norm = self.norm
        for n, block in enumerate(self.blocks):
            for name, width in (("attention", block.attention.width), ("mlp", block.mlp.width)):
                check(
                    width == norm.width,
                    f"Network.blocks[{n}].{name} must have width {norm.width}, not {width}",
                )
        check(
            self.head.columns == norm.width,
            f"Network.head must have {norm.width} columns, not {self.head.columns}",
        )

    @property
    def width(self) -> int:
        """D, channels of the residual stream."""
        return self.embedding.patch.rows

    @property
    def tokens(self) -> int:
        """n, length of the sequence."""
        return self.embedding.tokens

    @property
    def classes(self) -> int:
        """Number of logits."""
        return self.head.rows

    @property
    def norm(self) -> LayerNormConfig:
        """Shape of every layer norm."""
        return LayerNormConfig(width=self.width, fraction=self.fraction)


def load(path: Path) -> Network:
    """Read a transformer; raise :class:`NetworkError` as :func:`load_network` does.

    A network of another family is refused, too.
    """
    network = load_network(path)
    if not isinstance(network, Network):
        raise NetworkError(
            f"{path} holds a {type(network).__name__}; this command takes vision transformers"
        )
    return network
