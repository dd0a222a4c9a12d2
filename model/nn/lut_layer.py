"""Trainable lookup tables, twin of ``model/lut_layer.py`` (docs/math.md, Eq. 16).

Forward reads a bit of each table; backward needs the slope of a table along each address bit. The
Extended Finite Difference of DWN (arXiv 2410.11112, in the exponential form of its release) weighs
all entries of the table, the closer to the address the more: it is half the gradient of the table's
multilinear extension at the point that has 3/4 for each address bit 1 and 1/4 for each 0.
"""

from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn

__all__ = ["LutLayer", "Surrogate", "balanced_mapping", "slopes"]

Surrogate = Literal["efd", "fd"]
POINTS = {"efd": 0.75, "fd": 1.0}
GAINS = {"efd": 0.5, "fd": 1.0}


def balanced_mapping(inputs: int, luts: int, fan_in: int) -> Tensor:
    """Return random wiring [luts, fan_in] that uses every input before it uses one again."""
    needed = luts * fan_in
    rounds = -(-needed // inputs)
    order = torch.cat([torch.randperm(inputs) for _ in range(rounds)])
    return order[:needed].reshape(luts, fan_in)


def slopes(tables: Tensor, surrogate: Surrogate) -> Tensor:
    """Return the slope of real tables [N, 2**n] along address bit l at address a, [n, N, 2**n].

    ``"fd"`` is the plain difference between the two entries that differ in bit l.
    """
    return tables @ _slope_matrix(tables.shape[1], surrogate).to(tables)


@cache
def _slope_matrix(entries: int, surrogate: Surrogate) -> Tensor:
    """Return the linear map [n, from entry, to slope at address], a product over address bits."""
    near, gain = POINTS[surrogate], GAINS[surrogate]
    blend = torch.tensor([[near, 1 - near], [1 - near, near]], dtype=torch.float64)
    difference = torch.tensor([[-gain, -gain], [gain, gain]], dtype=torch.float64)
    fan_in = entries.bit_length() - 1
    matrices = []
    for bit in range(fan_in):
        matrix = torch.ones(1, 1, dtype=torch.float64)
        for other in range(fan_in):
            matrix = torch.kron(difference if other == bit else blend, matrix)
        matrices.append(matrix)
    return torch.stack(matrices)


class _Lookup(torch.autograd.Function):
    """Bits [inputs, samples] to bits [N, samples]; samples last, so that rows move whole."""

    @staticmethod
    def forward(
        ctx: Any, bits: Tensor, tables: Tensor, mapping: Tensor, surrogate: Surrogate
    ) -> Tensor:
        ones = (bits > 0.5).byte()
        address = ones.index_select(0, mapping[:, 0])
        for place in range(1, mapping.shape[1]):
            address.add_(ones.index_select(0, mapping[:, place]), alpha=1 << place)
        address = address.long()
        ctx.save_for_backward(address, tables, mapping)
        ctx.inputs, ctx.surrogate = len(bits), surrogate
        return (tables > 0).to(bits.dtype).gather(1, address)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:  # type: ignore[override]
        address, tables, mapping = ctx.saved_tensors
        grad = grad.contiguous()
        grad_tables = torch.zeros_like(tables).scatter_add_(1, address, grad)
        grad_bits = grad.new_zeros(ctx.inputs, grad.shape[1])
        for place, slope in enumerate(slopes(tables, ctx.surrogate)):
            grad_bits.index_add_(0, mapping[:, place], slope.gather(1, address).mul_(grad))
        return grad_bits, grad_tables, None, None


class LutLayer(nn.Module):
    """N tables of n inputs each, wired at random; a table's bit is ``entry > 0``.

    Parameters
    ----------
    inputs, luts, fan_in : int
        Bits in, N, and n.
    surrogate : "efd" or "fd"
        Gradient of the address bits.
    """

    def __init__(self, inputs: int, luts: int, fan_in: int, surrogate: Surrogate = "efd") -> None:
        super().__init__()
        self.surrogate: Surrogate = surrogate
        self.mapping: Tensor
        self.register_buffer("mapping", balanced_mapping(inputs, luts, fan_in))
        self.tables = nn.Parameter(torch.rand(luts, 1 << fan_in) * 2 - 1)

    def forward(self, bits: Tensor) -> Tensor:
        """Look up bits given as 0.0 and 1.0, [..., inputs] to [..., N]."""
        rows = bits.reshape(-1, bits.shape[-1]).T.contiguous()
        out = _Lookup.apply(rows, self.tables, self.mapping, self.surrogate)
        return out.T.reshape(*bits.shape[:-1], -1)  # type: ignore[union-attr]

    def integers(self, bits: Tensor) -> Tensor:
        """Look up int64 bits [..., inputs] to [..., N]."""
        place = 2 ** torch.arange(self.mapping.shape[1], device=bits.device)
        address = (bits[..., self.mapping] * place).sum(-1)
        tables = (self.tables.detach() > 0).long()
        return tables[torch.arange(len(tables), device=bits.device), address]
