"""The layers of lookup tables of a network, and which module of its Verilog holds each."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

from ...hdl.core.top import CORE
from ...hdl.transformer.passes import vectors
from ...model.lut_layer import LutLayer
from ...model.network.gpt import Gpt
from ...model.network.transformer import Transformer
from ...model.network.vit import Network
from ...model.weightless_mlp import WeightlessMlp

__all__ = ["PlacedLayer", "placed_layers"]


@dataclass(frozen=True, kw_only=True)
class PlacedLayer:
    """One layer.

    Attributes
    ----------
    name : str
        Where the network has it.
    module : str
        The module that looks it up, from wire ``i`` to wire ``o``.
    around : str
        The module in which the layer stands, with all that belongs to it.
    inputs, outputs : str
        Wires of the latter, from which and to which the layer leads.
    layer : LutLayer
    """

    name: str
    module: str
    around: str
    inputs: str
    outputs: str
    layer: LutLayer


def placed_layers(network: Transformer) -> Iterator[PlacedLayer]:
    """Yield the layers of all weightless MLPs in order of computation."""
    around = _module(network)
    encoded = "thermometer.o__payload" if vectors(network) == 1 else "held"
    for n, block in enumerate(network.blocks):
        if not isinstance(block.mlp, WeightlessMlp):
            continue
        for depth, layer in enumerate(block.mlp.layers):
            yield PlacedLayer(
                name=f"blocks.{n}.mlp.layers.{depth}",
                module=f"{around}.luts{n}_{depth}",
                around=around,
                inputs=f"luts{n}_{depth - 1}.o" if depth else encoded,
                outputs=f"luts{n}_{depth}.o",
                layer=layer,
            )


@singledispatch
def _module(network: Transformer) -> str:
    """Return the module with the engine of all MLPs."""
    raise TypeError(f"{type(network).__name__} has no hardware")


@_module.register
def _(network: Network) -> str:
    return f"{CORE}.mlp"


@_module.register
def _(network: Gpt) -> str:
    return f"{CORE}.decoder.mlp"
