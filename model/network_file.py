"""Networks as files: one safetensors file with a JSON header, hashed, never pickle."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lutformer.errors import LutformerError

from .files import write_whole
from .part import Part

__all__ = ["SCHEMA", "NetworkError", "StoredNetwork", "load_network", "save_network"]

SCHEMA = 3
"""Version of the file format; files of another are refused."""


class NetworkError(LutformerError):
    """A network file that cannot be used."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredNetwork(Part):
    """A trained network in integers, of whatever family: the root of a file.

    Attributes
    ----------
    origin : str
        JSON text on how the network was made; not part of the hash.
    """

    origin: str = field(default="{}")
    inputs: ClassVar[str] = "images"
    """What it takes, in the plural."""

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


def save_network(network: StoredNetwork, path: Path) -> None:
    """Write ``network`` to ``path`` whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    header = {"schema": SCHEMA, "hash": network.hash, "network": _flatten(network, "", arrays)}
    data = save(arrays, metadata={"lutformer": _dump(header)})
    write_whole(path, data)


def load_network(path: Path) -> StoredNetwork:
    """Read a network of any family.

    Raises
    ------
    NetworkError
        If the file is missing, damaged, altered, foreign, or of another schema.
    """
    from . import gpt, network, weightless_classifier  # noqa: F401 their kinds become known

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
    if not isinstance(root, StoredNetwork) or arrays:
        raise NetworkError(f"{path} holds no valid network: unexpected contents; export it again")
    if root.hash != recorded:
        raise NetworkError(
            f"{path} was altered after export (its hash does not match); export it again"
        )
    return root


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
