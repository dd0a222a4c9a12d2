"""EcoFormer's kernel hash, twin of ``model/kernel_hash.py`` (docs/math.md, Eq. 26 to 29)."""

import math

import torch
from torch import Tensor, nn

from .. import kernel_hash as golden
from ..arithmetic import ACTIVATION_BITS
from ..kernel_hash import COSINES
from ..layer_norm import ROOT_BITS
from .arithmetic import clamp, integer_array, integer_matmul, requantize, round_half_up
from .attention import join_heads, split_heads
from .hash_learning import HashWeights, learn_hash
from .layer_norm import inverse_root
from .linear import Linear
from .quantizer import Ramp
from .sign import sign_codes

__all__ = ["KernelHash"]

LENGTH = 127
"""Of an anchor."""
KERNEL_TOP = 255


class KernelHash(nn.Module):
    """Normalised tokens in, codes in {-1, +1} out, the same for queries and keys.

    Anchors, kernel and hash are buffers of integers: they are learned from the tokens of a batch
    (:meth:`relearn`), not by gradient; the gradient passes through them to the projection.

    Parameters
    ----------
    project : Linear
        To the heads' vectors.
    heads, anchors, bits : int
        H, m and b.
    estimator : str
        See :mod:`lutformer.model.nn.sign`.
    ramp : Ramp
    rounded : bool
        Whether vectors, cosines and kernel are rounded.
    """

    def __init__(
        self,
        project: Linear,
        heads: int,
        anchors: int,
        bits: int,
        *,
        estimator: str,
        ramp: Ramp,
        rounded: bool,
    ) -> None:
        super().__init__()
        self.project, self.heads, self.ramp, self.rounded = project, heads, ramp, rounded
        self.estimator = estimator
        self.count, self.bits, self.width = anchors, bits, len(project.weight) // heads
        shapes = {
            "anchors": (heads, anchors, self.width),
            "table": (heads, COSINES),
            "weight_levels": (heads, bits, anchors),
            "bias": (heads, bits),
            "unit": (heads, bits),  # what 1 stands for in an accumulator
            "sigma": (heads,),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))
        self.anchors: Tensor
        self.table: Tensor
        self.weight_levels: Tensor
        self.bias: Tensor
        self.unit: Tensor
        self.sigma: Tensor
        self._generator: torch.Generator | None = None
        self._adopt(self._untrained())

    def _untrained(self) -> HashWeights:
        """Return random anchors and hash, so that there is something before the first learning."""
        points = torch.randn(self.heads, self.count, self.width)
        return HashWeights(
            anchors=nn.functional.normalize(points, dim=-1),
            sigma=torch.full((self.heads,), 2.0),
            mean=torch.full((self.heads, self.count), math.exp(-0.5)),
            weight=torch.randn(self.heads, self.bits, self.count),
        )

    def relearn(self, generator: torch.Generator) -> None:
        """Learn anew from the next batch that comes in training."""
        self._generator = generator

    @torch.no_grad()
    def _adopt(self, hash_: HashWeights) -> None:
        """Round a learned hash to the integers that it is used with from now on."""
        top = hash_.weight.abs().amax(-1, keepdim=True).clamp_min(1e-6) / 127
        levels = round_half_up(hash_.weight / top)
        offset = KERNEL_TOP * hash_.mean - COSINES // 2  # of the kernel's integers
        below = 1 - torch.arange(-COSINES // 2, COSINES // 2, device=levels.device) / LENGTH
        kernel = torch.exp(-below / hash_.sigma[:, None]).clamp_max(1)
        self.anchors.copy_(clamp(round_half_up(LENGTH * hash_.anchors), ACTIVATION_BITS))
        self.table.copy_(round_half_up(KERNEL_TOP * kernel) - COSINES // 2)
        self.weight_levels.copy_(levels)
        self.bias.copy_(round_half_up(-(levels * offset[:, None]).sum(-1)))
        self.unit.copy_(top[..., 0] / KERNEL_TOP)
        self.sigma.copy_(hash_.sigma)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return codes [..., heads, n, b]."""
        vector = self.project(x)
        if self.rounded:
            vector = self.ramp.round(vector, ACTIVATION_BITS)
        vector = split_heads(vector, self.heads)
        if self._generator is not None and self.training:
            self._adopt(learn_hash(vector, self.count, self.bits, self._generator))
            self._generator = None
        length = torch.linalg.vector_norm(vector, dim=-1, keepdim=True).clamp_min(1)
        cosine = vector @ self.anchors.transpose(-1, -2) / length  # 127 times
        if self.rounded:
            cosine = self.ramp.round(cosine, ACTIVATION_BITS)
        kernel = KERNEL_TOP * torch.exp(-(1 - cosine / LENGTH) / self.sigma[:, None, None])
        kernel = kernel - COSINES // 2
        if self.rounded:
            kernel = self.ramp.round(kernel, ACTIVATION_BITS)
        acc = kernel @ self.weight_levels.transpose(-1, -2) + self.bias[:, None]
        ramp = self.ramp if self.rounded else None
        return (sign_codes(acc * self.unit[:, None], self.estimator, ramp),)

    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return the ``projected`` vectors and the bits ``query`` of int64 tokens."""
        projected = self.project.integers(x, shift, ACTIVATION_BITS)
        vector = split_heads(projected, self.heads)
        products = integer_matmul(vector, self.anchors.long().transpose(-1, -2))
        largest = self.width << (2 * ACTIVATION_BITS - 2)
        width = max((largest.bit_length() + 1) // 2 * 2, 2 * ROOT_BITS)
        inverse, places = inverse_root((vector * vector).sum(-1, keepdim=True), width)
        cosine = requantize(products, inverse, places, ACTIVATION_BITS)  # Eq. 27
        rows = torch.arange(self.heads, device=x.device)[:, None, None]
        kernel = self.table.long()[rows, cosine + COSINES // 2]  # Eq. 28
        acc = integer_matmul(kernel, self.weight_levels.long().transpose(-1, -2))
        query = (acc + self.bias.long()[:, None] >= 0).long()  # Eq. 29
        return {"projected": projected, "query": join_heads(query)}

    def export(self, shift: int) -> golden.KernelHash:
        """Return the integer hash."""
        return golden.KernelHash(
            project=self.project.export(shift),
            anchors=integer_array(self.anchors),
            table=integer_array(self.table),
            hash=integer_array(self.weight_levels),
            bias=integer_array(self.bias),
        )
