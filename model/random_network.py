"""Networks of any shape with random weights: for tests, and to size hardware early."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .conditional_sum import ConditionalSum
from .embedding import Embedding
from .hamming_attention import HammingAttention
from .linear import Linear
from .lut_layer import LutLayer
from .network import Block, Network
from .thermometer import Thermometer
from .weightless_mlp import WeightlessMlp

__all__ = ["NetworkShape", "random_network"]


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """Everything about a network but its weights."""

    height: int = 4
    width: int = 4
    channels: int = 1
    patch_height: int = 2
    patch_width: int = 2
    class_token: bool = False
    dim: int = 8  # D
    depth: int = 1
    heads: int = 1
    code_bits: int = 8  # T
    head_dim: int | None = None  # D / heads if None
    luts: tuple[int, ...] = (16,)  # N of each LUT layer
    fan_in: int = 4
    thermometer_bits: int = 3  # B
    classes: int = 3
    kind: Literal["ternary", "int8"] = "ternary"


def random_network(shape: NetworkShape, seed: int = 0) -> Network:
    """Return a network whose activations use their ranges, so that a fault shows."""
    rng = np.random.default_rng(seed)
    dim, shift, fraction = shape.dim, 12, 5
    head_dim = shape.head_dim or dim // shape.heads

    def linear(rows: int, columns: int, gain: float = 0.0) -> Linear:
        """Scale the output to ``gain`` times the input's deviation; 0 leaves it unscaled."""
        top = 1 if shape.kind == "ternary" else 127
        weight = rng.integers(-top, top + 1, (rows, columns))
        spread = np.sqrt((weight.astype(float) ** 2).mean() * columns) + 1e-9
        bias = rng.integers(-int(16 * spread) - 1, int(16 * spread) + 2, rows)
        scale = gain / spread * (1 << shift) * rng.uniform(0.7, 1.4, rows)
        multiplier = np.clip(np.round(scale), 0 if not gain else 1, (1 << 15) - 1)
        return Linear(kind=shape.kind, weight=weight, bias=bias, multiplier=multiplier.astype(int))

    def mlp() -> WeightlessMlp:
        thresholds = np.sort(rng.integers(-60, 61, (dim, shape.thermometer_bits)), axis=1)
        inputs, layers = thresholds.size, []
        for luts in shape.luts:
            mapping = rng.integers(0, inputs, (luts, shape.fan_in))
            tables = rng.integers(0, 2, (luts, 1 << shape.fan_in))
            layers.append(LutLayer(inputs=inputs, mapping=mapping, tables=tables))
            inputs = luts
        top = 1 if shape.kind == "ternary" else 127
        readout = ConditionalSum(
            kind=shape.kind,
            weight=rng.integers(-top, top + 1, (dim, inputs)),
            bias=rng.integers(-inputs, inputs + 1, dim),
            shift=int(rng.integers(2, 6)),
        )
        return WeightlessMlp(
            thermometer=Thermometer(thresholds=thresholds), layers=tuple(layers), readout=readout
        )

    def attention() -> HammingAttention:
        decay = np.exp(-rng.uniform(0.2, 0.8, (shape.heads, 1)) * np.arange(shape.code_bits + 1))
        codes = shape.heads * shape.code_bits
        return HammingAttention(
            heads=shape.heads,
            code_bits=shape.code_bits,
            query=linear(codes, dim),
            key=linear(codes, dim),
            value=linear(shape.heads * head_dim, dim, 1.0),
            output=linear(dim, shape.heads * head_dim, 16.0),
            table=np.maximum(1, np.round(1023 * decay)).astype(int),
        )

    tokens = shape.height // shape.patch_height * (shape.width // shape.patch_width)
    tokens += shape.class_token
    embedding: Any = Embedding(
        height=shape.height,
        width=shape.width,
        channels=shape.channels,
        patch_height=shape.patch_height,
        patch_width=shape.patch_width,
        class_token=shape.class_token,
        patch=linear(dim, shape.patch_height * shape.patch_width * shape.channels, 4.0),
        position=rng.integers(-800, 801, (tokens, dim)),
    )
    return Network(
        embedding=embedding,
        blocks=tuple(Block(attention=attention(), mlp=mlp()) for _ in range(shape.depth)),
        head=linear(shape.classes, dim),
        fraction=fraction,
        requant_shift=shift,
        class_names=tuple(str(n) for n in range(shape.classes)),
    )
