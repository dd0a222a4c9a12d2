"""The share of multiplications in the MLPs as QuWeiT's authors count it, from shapes alone.

After QuWeiT (arXiv 2411.01818), whose weightless blocks replace "approximately 55 % of all the
multiplications" of I-ViT-T: those of the matrix products, and of no others.
"""

from dataclasses import dataclass

from ..network.vit import Network
from ..weightless_mlp import WeightlessMlp
from .accounting import HIDDEN_RATIO

__all__ = ["Products", "removed_share", "transformer_products"]


@dataclass(frozen=True, kw_only=True)
class Products:
    """Multiplications of the matrix products of a transformer."""

    embedding: int
    projections: int
    """Queries, keys, values and outputs."""
    attention: int
    """Scores and weighted sums, each key with each query."""
    mlp: int

    @property
    def mlp_share(self) -> float:
        """Part of the multiplications that the MLPs make."""
        return self.mlp / (self.embedding + self.projections + self.attention + self.mlp)


def transformer_products(
    *, tokens: int, dim: int, depth: int, patches: int = 0, patch_size: int = 0, hidden: int = 0
) -> Products:
    """Return the products of a transformer whose MLPs have ``hidden`` channels, 4 D if 0.

    ``patches`` of ``patch_size`` values are embedded by a matrix; the head is not counted.
    """
    return Products(
        embedding=patches * patch_size * dim,
        projections=depth * 4 * tokens * dim * dim,
        attention=depth * 2 * tokens * tokens * dim,
        mlp=depth * 2 * tokens * dim * (hidden or HIDDEN_RATIO * dim),
    )


def removed_share(network: Network) -> float:
    """Return the part of the int8 baseline's multiplications that weightless MLPs spare."""
    e, blocks = network.embedding, network.blocks
    products = transformer_products(
        tokens=network.tokens,
        dim=network.width,
        depth=len(blocks),
        patches=network.tokens - e.class_token,
        patch_size=e.patch.in_features,
    )
    weightless = sum(isinstance(block.mlp, WeightlessMlp) for block in blocks)
    return products.mlp_share * weightless / len(blocks)
