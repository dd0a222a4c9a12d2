"""The contract between training and hardware: a tree of integers, saved as one safetensors file."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lutformer.errors import LutformerError

from .embedding import Embedding
from .files import write_whole
from .gelu_mlp import GeluMlp
from .hamming_attention import HammingAttention
from .layer_norm import LayerNormConfig
from .linear import Linear
from .linear_attention import LinearAttention
from .part import Part, check
from .softmax_attention import SoftmaxAttention
from .weightless_mlp import WeightlessMlp

__all__ = ["SCHEMA", "Block", "Network", "NetworkError", "load", "save_network"]

SCHEMA = 2
"""Version of the file format; files of another are refused."""

Attention = HammingAttention | LinearAttention | SoftmaxAttention
Mlp = WeightlessMlp | GeluMlp


class NetworkError(LutformerError):
    """A network file that cannot be used."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Block(Part):
    """One transformer block: ``x += attention(norm(x)); x += mlp(norm(x))``."""

    attention: Attention
    mlp: Mlp


@dataclass(frozen=True, kw_only=True, eq=False)
class Network(Part):
    """A trained vision transformer in integers.

    Attributes
    ----------
    fraction : int
        f, fractional bits of layer norm outputs.
    requant_shift : int
        s of Eq. 2, common to all linear layers.
    class_names : tuple of str
    pixel_max : int
        Largest raw pixel value of the dataset; it maps to byte 255.
    origin : str
        JSON text on how the network was made; not part of the hash.
    """

    embedding: Embedding
    blocks: tuple[Block, ...]
    head: Linear
    fraction: int
    requant_shift: int
    class_names: tuple[str, ...]
    pixel_max: int = 255
    origin: str = field(default="{}")

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

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that decides the outputs; by it host and board know each other."""
        arrays: dict[str, np.ndarray] = {}
        tree = _flatten(self, "", arrays)
        tree["fields"].pop("origin")
        digest = hashlib.sha256(_dump(tree).encode())
        for name in sorted(arrays):
            digest.update(name.encode() + str(arrays[name].shape).encode() + arrays[name].tobytes())
        return digest.digest()

    @property
    def hash(self) -> str:
        """The digest in hexadecimal."""
        return self.digest.hex()


def save_network(network: Network, path: Path) -> None:
    """Write ``network`` to ``path`` whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    header = {"schema": SCHEMA, "hash": network.hash, "network": _flatten(network, "", arrays)}
    data = save(arrays, metadata={"lutformer": _dump(header)})
    write_whole(path, data)


def load(path: Path) -> Network:
    """Read a network.

    Raises
    ------
    NetworkError
        If the file is missing, damaged, altered, foreign, or of another schema.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            names = file.keys()
            arrays = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError, ValueError) as error:
        raise NetworkError(
            f"{path} is not a readable safetensors network ({error}); "
            "export it again with `lutformer export`"
        ) from error
    if "lutformer" not in metadata:
        raise NetworkError(
            f"{path} is not a lutformer network (no header); make one with `lutformer export`"
        )
    try:
        header = json.loads(metadata["lutformer"])
        schema = header["schema"]
        if not isinstance(schema, int) or schema != SCHEMA:
            older = isinstance(schema, int) and schema < SCHEMA
            remedy = "export its checkpoint again" if older else "upgrade lutformer"
            raise NetworkError(
                f"{path} has schema {schema!r}, this version reads schema {SCHEMA}; {remedy}"
            )
        network = _build(header["network"], "", arrays)
        recorded = header["hash"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NetworkError(f"{path} holds no valid network: {error}; export it again") from error
    if not isinstance(network, Network) or arrays:
        raise NetworkError(f"{path} holds no valid network: unexpected contents; export it again")
    if network.hash != recorded:
        raise NetworkError(
            f"{path} was altered after export (its hash does not match); export it again"
        )
    return network


def _dump(tree: object) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def _flatten(part: Part, prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the scalars of a part as JSON, and put its arrays into ``arrays`` by dotted name."""

    def one(value: Any, name: str) -> Any:
        match value:
            case np.ndarray():
                arrays[name] = np.ascontiguousarray(value)
                return {"array": name}
            case Part():
                return _flatten(value, f"{name}.", arrays)
            case tuple():
                return [one(item, f"{name}.{n}") for n, item in enumerate(value)]
            case _:
                return value

    members = {name: one(value, prefix + name) for name, value in part.members().items()}
    return {"kind": type(part).__name__, "fields": members}


def _build(tree: Any, prefix: str, arrays: dict[str, np.ndarray]) -> Any:
    """Rebuild what :func:`_flatten` took apart, taking used arrays out of ``arrays``."""
    match tree:
        case {"array": str(name)}:
            return arrays.pop(name)
        case {"kind": str(kind), "fields": dict(members)} if kind in Part.registry:
            return Part.registry[kind](
                **{
                    name: _build(value, f"{prefix}{name}.", arrays)
                    for name, value in members.items()
                }
            )
        case list():
            return tuple(_build(item, prefix, arrays) for item in tree)
        case str() | int() | bool():
            return tree
    raise ValueError(f"{prefix.rstrip('.') or 'the header'} is of no known kind")
