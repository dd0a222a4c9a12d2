"""Networks as files: one safetensors file with a JSON header, hashed, never pickle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lutformer.errors import LutformerError

from ..gelu_mlp import GeluMlp
from ..hamming_attention import HammingAttention
from ..linear_attention import LinearAttention
from ..softmax_attention import SoftmaxAttention
from ..storage.files import write_whole
from ..storage.part import Part
from ..storage.plugins import load_all
from ..weightless_mlp import WeightlessMlp
from .gpt import Gpt
from .stored_network import StoredNetwork, dump, flatten
from .vit import Network
from .weightless_classifier import WeightlessClassifier

__all__ = ["SCHEMA", "NetworkError", "load_network", "load_vit", "save_network"]

SCHEMA = 3
"""Version of the file format; files of another are refused."""

FAMILIES = (Network, Gpt, WeightlessClassifier)
"""Roots that a file may have."""

LAYERS = (HammingAttention, LinearAttention, SoftmaxAttention, WeightlessMlp, GeluMlp)
"""Parts that no root imports: defining them, here by import, puts them into the registry."""


class NetworkError(LutformerError):
    """A network file that cannot be used."""


def save_network(network: StoredNetwork, path: Path) -> None:
    """Write ``network`` to ``path`` whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    header = {"schema": SCHEMA, "hash": network.hash, "network": flatten(network, "", arrays)}
    data = save(arrays, metadata={"lutformer": dump(header)})
    write_whole(path, data)


def load_network(path: Path) -> StoredNetwork:
    """Read a network of any family.

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
        root = _build(header["network"], "", arrays)
        recorded = header["hash"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NetworkError(f"{path} holds no valid network: {error}; export it again") from error
    if not isinstance(root, FAMILIES) or arrays:
        raise NetworkError(f"{path} holds no valid network: unexpected contents; export it again")
    if root.hash != recorded:
        raise NetworkError(
            f"{path} was altered after export (its hash does not match); export it again"
        )
    return root


def load_vit(path: Path) -> Network:
    """Read a transformer; raise :class:`NetworkError` as :func:`load_network` does.

    A network of another family is refused, too.
    """
    network = load_network(path)
    if not isinstance(network, Network):
        raise NetworkError(
            f"{path} holds a {type(network).__name__}; this command takes vision transformers"
        )
    return network


def _build(tree: Any, prefix: str, arrays: dict[str, np.ndarray]) -> Any:
    """Invert :func:`flatten`, removing used arrays from ``arrays``."""
    match tree:
        case {"array": str(name)}:
            return arrays.pop(name)
        case {"kind": str(kind), "fields": dict(members)}:
            part = _part(kind, prefix)
            names = part.keys()
            values: dict[Any, Any] = {}
            for key, value in members.items():
                values[names.get(key, key)] = _build(value, f"{prefix}{key}.", arrays)
            return part(**values)
        case list():
            return tuple(_build(item, prefix, arrays) for item in tree)
        case str() | int() | bool():
            return tree
    raise ValueError(f"{prefix.rstrip('.') or 'the header'} is of no known kind")


def _part(kind: str, prefix: str) -> type[Part]:
    """Return the class of that name, from another package if it is none of ours."""
    if kind not in Part.registry:
        load_all()
    if kind not in Part.registry:
        where = prefix.rstrip(".") or "the header"
        raise ValueError(f"{where} is of no known kind: no installed package has a {kind}")
    return Part.registry[kind]
