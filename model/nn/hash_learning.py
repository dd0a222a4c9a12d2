"""Self-supervised learning of EcoFormer's kernel hash from attention maps (arXiv 2209.09004).

The greedy residue scheme of kernel supervised hashing, as in the released code: one bit after the
other explains what the bits before it left of the similarity labels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lutformer.errors import UsageError

__all__ = ["HashWeights", "learn_hash"]

SIMILAR = 10
"""Keys of a query that are labelled alike, and as many unlike: the paper's top-k."""
STEPS = 100
LEARNING_RATE = 0.05
SHARPNESS = 4.0
"""K of the smooth sign ``tanh(K * y / 2)``."""


@dataclass(frozen=True, kw_only=True)
class HashWeights:
    """A learned hash.

    Attributes
    ----------
    anchors : Tensor [heads, m, C]
        Of unit length.
    sigma : Tensor [heads]
        Mean squared distance to an anchor.
    mean : Tensor [heads, m]
        mu, mean of the kernel of each anchor.
    weight : Tensor [heads, b, m]
        A.
    """

    anchors: Tensor
    sigma: Tensor
    mean: Tensor
    weight: Tensor


def learn_hash(tokens: Tensor, anchors: int, bits: int, generator: torch.Generator) -> HashWeights:
    """Learn the hash of tokens [images, heads, n, C].

    Unlike the released code, anchors come from all images of the batch, so that short sequences
    have enough of them, and the bits are fitted with Adam.

    Raises
    ------
    UsageError
        If there are fewer tokens with a direction than anchors are wanted.
    """
    tokens = tokens.detach().float()
    heads, width = tokens.shape[1], tokens.shape[-1]
    flat = tokens.transpose(0, 1).reshape(heads, -1, width)
    usable = (flat != 0).any(-1).all(0).nonzero()[:, 0]
    if len(usable) < anchors:
        raise UsageError(
            f"A kernel hash of {anchors} anchors needs as many tokens that are not zero, the batch "
            f"has {len(usable)}; use a larger batch or fewer anchors"
        )
    chosen = usable[torch.randperm(len(usable), generator=generator)[:anchors].to(usable.device)]
    points = functional.normalize(flat[:, chosen], dim=-1)
    tokens = functional.normalize(tokens, dim=-1)
    squared = 2 - 2 * tokens @ points.transpose(-1, -2)  # [images, heads, n, m]
    sigma = squared.mean((0, 2, 3)).clamp_min(1e-3)
    kernel = torch.exp(-squared / (2 * sigma[:, None, None]))
    mean = kernel.mean((0, 2))
    weight = _greedy(kernel - mean[:, None], _labels(tokens), bits, generator)
    return HashWeights(anchors=points, sigma=sigma, mean=mean, weight=weight)


def _labels(tokens: Tensor) -> Tensor:
    """Return +1 for each token's most similar tokens, -1 for its least similar ones, else 0."""
    similarity = tokens @ tokens.transpose(-1, -2)
    count = max(1, min(SIMILAR, similarity.shape[-1] // 3))
    order = similarity.argsort(-1, descending=True)
    labels = torch.zeros_like(similarity)
    labels.scatter_(-1, order[..., -count:], -1.0)
    return labels.scatter_(-1, order[..., :count], 1.0)


@torch.enable_grad()
def _greedy(kernel: Tensor, labels: Tensor, bits: int, generator: torch.Generator) -> Tensor:
    """Return A [heads, b, m], bit by bit."""
    heads, tokens, anchors = kernel.shape[1:]
    residue = bits * labels
    rows = []

    def loss(y: Tensor) -> Tensor:  # for each head
        agreement = torch.einsum("bhi,bhij,bhj->h", y, residue, y)
        return -agreement / (len(kernel) * tokens * bits)

    def project(row: Tensor) -> Tensor:
        return (kernel @ row[:, :, None])[..., 0]

    def sign(y: Tensor) -> Tensor:
        return torch.where(y >= 0, 1.0, -1.0)

    for _ in range(bits):
        start = torch.randn(heads, anchors, generator=generator).to(kernel.device)
        row = start.clone().requires_grad_()
        optimizer = torch.optim.Adam([row], lr=LEARNING_RATE)
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss(torch.tanh(SHARPNESS / 2 * project(row))).sum().backward()
            optimizer.step()
        with torch.no_grad():
            better = loss(sign(project(row))) < loss(sign(project(start)))
            row = torch.where(better[:, None], row, start).detach()
            code = sign(project(row))
            residue = residue - code[..., :, None] * code[..., None, :]
        rows.append(row)
    return torch.stack(rows, dim=1)
