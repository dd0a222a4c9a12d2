"""Trainable lookup tables, twin of ``model/lut_layer.py`` (docs/math.md, Eq. 16).

Forward reads a bit of each table: ``entry > 0``. The gradient of an entry is that of the bit
(straight-through). That of an address bit is the slope of the table along it, which a bit table
does not have: a surrogate takes its place (``surrogate.py``).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .. import lut_layer as golden
from .arithmetic import integer_array
from .mapping import FixedMapping, Mapping
from .surrogate import SURROGATES, Surrogate

__all__ = ["LutLayer", "export_luts"]


class _Lookup(torch.autograd.Function):
    """Address bits [n, N, samples] to bits [N, samples]; samples last, so that rows move whole."""

    @staticmethod
    def forward(ctx: Any, bits: Tensor, tables: Tensor, surrogate: Surrogate) -> Tensor:
        address = bits[0].clone()
        for place, ones in enumerate(bits[1:], start=1):
            address.add_(ones, alpha=1 << place)
        address = address.long()
        ctx.surrogate = surrogate
        ctx.save_for_backward(address, tables)
        return (tables > 0).to(bits.dtype).gather(1, address)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor, None]:  # type: ignore[override]
        address, tables = ctx.saved_tensors
        grad, surrogate = grad.contiguous(), SURROGATES[ctx.surrogate]
        grad_tables = torch.zeros_like(tables).scatter_add_(1, address, grad)
        grad_tables = grad_tables * surrogate.entry_slopes(tables)
        if not ctx.needs_input_grad[0]:
            return None, grad_tables, None
        slopes = surrogate.slopes(tables)  # [n, N, 2**n]
        grad_bits = slopes.gather(2, address.expand(len(slopes), -1, -1))
        return grad_bits.mul_(grad), grad_tables, None


class LutLayer(nn.Module):
    """N tables of n inputs each.

    Parameters
    ----------
    inputs, luts, fan_in : int
        Bits in, N, and n.
    surrogate : str
        A key of :data:`SURROGATES`.
    mapping : Mapping or None
        At random and fixed if None.
    """

    def __init__(
        self,
        inputs: int,
        luts: int,
        fan_in: int,
        surrogate: Surrogate = "exponential",
        mapping: Mapping | None = None,
    ) -> None:
        super().__init__()
        self.surrogate: Surrogate = surrogate
        self.mapping = mapping or FixedMapping(inputs, luts, fan_in)
        self.tables = nn.Parameter(torch.rand(luts, 1 << fan_in) * 2 - 1)

    def forward(self, bits: Tensor) -> Tensor:
        """Look up bits given as 0.0 and 1.0, [..., inputs] to [..., N]."""
        rows = bits.reshape(-1, bits.shape[-1]).T.contiguous()
        return self.lookup(rows).T.reshape(*bits.shape[:-1], -1)

    def lookup(self, rows: Tensor) -> Tensor:
        """Look up rows [inputs, samples] to [N, samples]."""
        return _Lookup.apply(self.mapping(rows), self.tables, self.surrogate)  # type: ignore[return-value]

    def integers(self, bits: Tensor) -> Tensor:
        """Look up int64 bits [..., inputs] to [..., N]."""
        return self(bits.to(self.tables.dtype)).long()


def export_luts(
    layers: nn.ModuleList, wiring: Sequence[Tensor], inputs: int
) -> tuple[golden.LutLayer, ...]:
    """Return the integer form of layers in a row.

    Parameters
    ----------
    layers : list of LutLayer
    wiring : sequence of int64 [N, n]
        Of each layer: the bit that each address bit reads.
    inputs : int
        Bits that the first layer reads.
    """
    made = []
    for layer, wires in zip(layers, wiring, strict=True):
        assert isinstance(layer, LutLayer)
        mapping, tables = integer_array(wires), integer_array(layer.tables > 0)
        made.append(golden.LutLayer(inputs=inputs, mapping=mapping, tables=tables))
        inputs = len(mapping)
    return tuple(made)
