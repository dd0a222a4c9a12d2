"""Root of every network: its origin, and the hash by which host and board know it."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..storage.part import Part

__all__ = ["StoredNetwork", "dump", "flatten"]


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredNetwork(Part):
    """A trained network in integers, of whatever family: the root of a file.

    Attributes
    ----------
    origin : str
        JSON text on how the network was made; not part of the hash.
    """

    origin: str = field(default="{}")

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that decides the outputs; by it host and board know each other."""
        arrays: dict[str, np.ndarray] = {}
        tree = flatten(self, "", arrays)
        tree["fields"].pop("origin")
        digest = hashlib.sha256(dump(tree).encode())
        for name in sorted(arrays):
            digest.update(name.encode() + str(arrays[name].shape).encode() + arrays[name].tobytes())
        return digest.digest()

    @property
    def outputs(self) -> int:
        """Logits or counts of an inference."""
        raise NotImplementedError

    def pack(self, inputs: NDArray[Any]) -> list[bytes]:
        """Return the bytes of each of several inputs, as they go over the link."""
        raise NotImplementedError

    @property
    def hash(self) -> str:
        """The digest in hexadecimal."""
        return self.digest.hex()


def dump(tree: object) -> str:
    """Return canonical JSON: sorted keys, no white space."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def flatten(part: Part, prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the scalars of a part as JSON, and put its arrays into ``arrays`` by dotted name."""

    def one(value: Any, name: str) -> Any:
        match value:
            case np.ndarray():
                arrays[name] = np.ascontiguousarray(value)
                return {"array": name}
            case Part():
                return flatten(value, f"{name}.", arrays)
            case tuple():
                return [one(item, f"{name}.{n}") for n, item in enumerate(value)]
            case _:
                return value

    members = {name: one(value, prefix + name) for name, value in part.members().items()}
    return {"kind": type(part).__name__, "fields": members}
