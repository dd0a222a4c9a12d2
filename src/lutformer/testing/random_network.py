"""Networks of any shape with random weights: for tests, and to size hardware early."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..model.attention import Attention
from ..model.conditional_sum import ConditionalSum
from ..model.embedding import Embedding
from ..model.gelu_mlp import GeluMlp
from ..model.hamming_attention import HammingAttention
from ..model.kernel_hash import KernelHash
from ..model.linear import Linear
from ..model.linear_attention import LinearAttention, LinearHash
from ..model.lut_layer import LutLayer
from ..model.network.transformer import Block
from ..model.network.vit import Network
from ..model.softmax_attention import SoftmaxAttention, shift_exponential
from ..model.thermometer import Thermometer
from ..model.weightless_mlp import WeightlessMlp

__all__ = [
    "SHIFT",
    "BlockShape",
    "Draw",
    "NetworkShape",
    "random_attention",
    "random_network",
]

SHIFT = 12
"""s of Eq. 2."""


@dataclass(frozen=True, kw_only=True)
class BlockShape:
    """Everything about the blocks of a network but their weights."""

    dim: int = 8  # D
    depth: int = 1
    heads: int = 1
    head_dim: int | None = None  # D / heads if None
    causal: bool = False
    attention: Literal["hamming", "linear", "softmax"] = "hamming"
    code_bits: int = 8  # T, or b
    weighting: Literal["table", "power"] = "table"
    alibi: bool = False
    top_k: int = 0
    hash: Literal["kernel", "linear"] = "kernel"
    anchors: int = 5  # m
    form: Literal["signed", "own", "and"] = "signed"
    exponential: Literal["table", "shiftmax"] = "table"
    mlp: Literal["weightless", "gelu"] = "weightless"
    luts: tuple[int, ...] = (16,)  # N of each LUT layer
    fan_in: int = 4
    thermometer_bits: int = 3  # B
    readout: Literal["dense", "grouped"] = "dense"
    kind: Literal["ternary", "int8"] = "ternary"

    @property
    def values(self) -> int:
        """Value columns of all heads."""
        return self.heads * (self.head_dim or self.dim // self.heads)


@dataclass(frozen=True, kw_only=True)
class NetworkShape(BlockShape):
    """Everything about a network but its weights."""

    height: int = 4
    width: int = 4
    channels: int = 1
    patch_height: int = 2
    patch_width: int = 2
    class_token: bool = False
    classes: int = 3


def random_network(shape: NetworkShape, seed: int = 0) -> Network:
    """Return a network whose activations use their ranges, so that a fault shows."""
    draw = Draw(shape, seed)
    tokens = shape.height // shape.patch_height * (shape.width // shape.patch_width)
    tokens += shape.class_token
    patch = draw.linear(shape.dim, shape.patch_height * shape.patch_width * shape.channels, 4.0)
    embedding = Embedding(
        height=shape.height,
        width=shape.width,
        channels=shape.channels,
        patch_height=shape.patch_height,
        patch_width=shape.patch_width,
        class_token=shape.class_token,
        patch=patch,
        position=draw.rng.integers(-800, 801, (tokens, shape.dim)),
    )
    return Network(
        embedding=embedding,
        blocks=draw.blocks(),
        head=draw.linear(shape.classes, shape.dim),
        fraction=5,
        requant_shift=SHIFT,
        class_names=tuple(str(n) for n in range(shape.classes)),
    )


def random_attention(shape: BlockShape, seed: int = 0) -> tuple[Any, ...]:
    """Return the attention layers of a random network, one for each block."""
    draw = Draw(shape, seed)
    return tuple(draw.attention() for _ in range(shape.depth))


class Draw:
    """Parts of a shape, from one source of random numbers."""

    def __init__(self, shape: BlockShape, seed: int) -> None:
        self.shape, self.rng = shape, np.random.default_rng(seed)

    @property
    def top(self) -> int:
        """Largest weight."""
        return 1 if self.shape.kind == "ternary" else 127

    def linear(self, rows: int, columns: int, gain: float = 0.0) -> Linear:
        """Scale the output to ``gain`` times the input's deviation; 0 leaves it unscaled."""
        weight = self.rng.integers(-self.top, self.top + 1, (rows, columns))
        spread = np.sqrt((weight.astype(float) ** 2).mean() * columns) + 1e-9
        bias = self.rng.integers(-int(16 * spread) - 1, int(16 * spread) + 2, rows)
        scale = gain / spread * (1 << SHIFT) * self.rng.uniform(0.7, 1.4, rows)
        multiplier = np.clip(np.round(scale), 0 if not gain else 1, (1 << 15) - 1)
        return Linear(
            kind=self.shape.kind, weight=weight, bias=bias, multiplier=multiplier.astype(int)
        )

    def blocks(self) -> tuple[Block, ...]:
        """Return all blocks."""
        mlp = self.gelu_mlp if self.shape.mlp == "gelu" else self.weightless_mlp
        return tuple(
            Block(attention=self.attention(), mlp=mlp())  # type: ignore[arg-type]
            for _ in range(self.shape.depth)
        )

    def attention(self) -> Attention:
        """Return an attention layer of the shape's kind."""
        shape = self.shape
        kinds = {"hamming": self._hamming, "linear": self._linear, "softmax": self._softmax}
        scores = kinds[shape.attention]
        return scores(
            heads=shape.heads,
            causal=shape.causal,
            value=self.linear(shape.values, shape.dim, 1.0),
            output=self.linear(shape.dim, shape.values, 16.0),
        )

    def _hamming(self, **common: Any) -> HammingAttention:
        shape = self.shape
        rate = self.rng.uniform(0.2, 0.8, (shape.heads, 1)) * np.arange(shape.code_bits + 1)
        if shape.weighting == "power":
            table = np.round(rate / np.log(2) * 256)
        else:
            table = np.maximum(1, np.round(1023 * np.exp(-rate)))
        rows = shape.heads * shape.code_bits
        alibi = self.rng.integers(1, 300, shape.heads) * shape.alibi
        return HammingAttention(
            **common,
            code_bits=shape.code_bits,
            query=self.linear(rows, shape.dim),
            key=self.linear(rows, shape.dim),
            weighting=shape.weighting,
            table=table.astype(int),
            alibi=alibi,
            top_k=shape.top_k,
        )

    def _softmax(self, **common: Any) -> SoftmaxAttention:
        shape, literal = self.shape, self.shape.exponential == "shiftmax"
        width = shape.values // shape.heads
        smooth = np.round(4095 * np.exp(-np.arange(256) / self.rng.uniform(12, 40)))
        return SoftmaxAttention(
            **common,
            query=self.linear(shape.values, shape.dim, 1.0),
            key=self.linear(shape.values, shape.dim, 1.0),
            multiplier=int(2**14 * self.rng.uniform(0.5, 1.0) / np.sqrt(width)) + 1,
            shift=18,
            exponential=shape.exponential,
            table=shift_exponential(1 / 16) if literal else smooth.astype(int),
        )

    def _linear(self, **common: Any) -> LinearAttention:
        shape = self.shape
        bits, sparse = shape.code_bits, shape.form == "and"
        head = np.arange(shape.heads)
        decay = np.minimum(2 * head + 1, 7) if sparse and shape.causal else 0 * head
        return LinearAttention(
            **common,
            hash=self._kernel_hash() if shape.hash == "kernel" else self._linear_hash(1 + sparse),
            form=shape.form,
            bias=10 if sparse else bits + 1,
            decay=decay,
            fraction=10 if sparse else 0,
        )

    def _linear_hash(self, count: int) -> LinearHash:
        rows = self.shape.heads * self.shape.code_bits
        parts = tuple(self.linear(rows, self.shape.dim) for _ in range(count))
        return LinearHash(projections=parts)

    def _kernel_hash(self) -> KernelHash:
        shape, width = self.shape, self.shape.values // self.shape.heads
        points = self.rng.normal(size=(shape.heads, shape.anchors, width))
        points /= np.linalg.norm(points, axis=-1, keepdims=True)
        below = 1 - np.arange(-128, 128) / 127
        sigma = self.rng.uniform(0.6, 1.5, (shape.heads, 1))
        table = np.round(255 * np.minimum(np.exp(-below / sigma), 1)) - 128
        hash_ = self.rng.integers(-127, 128, (shape.heads, shape.code_bits, shape.anchors))
        centre = table.mean(1).astype(int)[:, None]
        return KernelHash(
            project=self.linear(shape.values, shape.dim, 1.0),
            anchors=np.where(points == 0, 1, np.round(127 * points)).astype(int),
            table=table.astype(int),
            hash=hash_,
            bias=-centre * hash_.sum(-1),
        )

    def weightless_mlp(self) -> WeightlessMlp:
        """Return a thermometer, lookup tables and a conditional sum."""
        shape, rng, layers = self.shape, self.rng, []
        thresholds = np.sort(rng.integers(-60, 61, (shape.dim, shape.thermometer_bits)), axis=1)
        inputs = thresholds.size
        for luts in shape.luts:
            mapping = rng.integers(0, inputs, (luts, shape.fan_in))
            tables = rng.integers(0, 2, (luts, 1 << shape.fan_in))
            layers.append(LutLayer(inputs=inputs, mapping=mapping, tables=tables))
            inputs = luts
        grouped = shape.readout == "grouped"
        terms = inputs // shape.dim if grouped else inputs
        readout = ConditionalSum(
            kind=shape.kind,
            weight=rng.integers(-self.top, self.top + 1, (shape.dim, terms)),
            bias=rng.integers(-inputs, inputs + 1, shape.dim),
            shift=int(rng.integers(2, 6)),
            grouped=grouped,
        )
        return WeightlessMlp(
            thermometer=Thermometer(thresholds=thresholds), layers=tuple(layers), readout=readout
        )

    def gelu_mlp(self) -> GeluMlp:
        """Return two linear layers and a table that rises."""
        dim = self.shape.dim
        table = np.sort(self.rng.integers(-20, 128, 256))
        return GeluMlp(
            hidden=self.linear(4 * dim, dim, 1.0), table=table, output=self.linear(dim, 4 * dim, 8)
        )
