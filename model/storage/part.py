"""Base of the dataclasses that a network is made of: arrays checked and frozen, saved by name."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Part", "check", "check_one_kind"]


def check(condition: bool, message: str) -> None:
    """Raise ValueError with ``message`` unless ``condition`` holds."""
    if not condition:
        raise ValueError(message)


class Part:
    """One node of a :class:`~lutformer.model.network.vit.Network` tree.

    Subclasses are frozen keyword-only dataclasses whose fields are integers, strings, booleans,
    integer arrays, parts, or tuples of these. Files know a field by the ``key`` in its metadata if
    it has one: a renamed field keeps the hash of its network. Defining a subclass registers it
    under its class name, so a new kind of layer becomes loadable by existing.
    """

    registry: ClassVar[dict[str, type["Part"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        known = Part.registry.setdefault(cls.__name__, cls)
        if known.__module__ != cls.__module__:
            raise TypeError(
                f"{cls.__module__} defines a {cls.__name__}, a name that {known.__module__} has "
                "taken for a part of networks; choose another"
            )
        Part.registry[cls.__name__] = cls

    def freeze(
        self, name: str, dtype: type[np.integer], ndim: int, *, empty: bool = False
    ) -> NDArray[Any]:
        """Replace field ``name`` by a read-only array of ``dtype``, refusing what does not fit.

        One without elements fits only if ``empty``.
        """
        array = np.asarray(getattr(self, name))
        label = f"{type(self).__name__}.{name}"
        check(array.dtype.kind in "iub", f"{label} must hold integers, not {array.dtype}")
        check(array.ndim == ndim, f"{label} must have {ndim} dimensions, not {array.ndim}")
        info = np.iinfo(dtype)
        fits = array.size == 0 or info.min <= int(array.min()) <= int(array.max()) <= info.max
        check(
            fits and (array.size > 0 or empty),
            f"{label} must be non-empty and fit {np.dtype(dtype).name}",
        )
        array = np.array(array, dtype)
        array.setflags(write=False)
        object.__setattr__(self, name, array)
        return array

    @classmethod
    def keys(cls) -> dict[str, str]:
        """Return the names of the fields by their keys in files."""
        return {f.metadata.get("key", f.name): f.name for f in fields(cls)}  # type: ignore[arg-type]

    def members(self) -> dict[str, Any]:
        """Return the fields by their keys in files."""
        return {key: getattr(self, name) for key, name in self.keys().items()}


def check_one_kind(parts: Sequence[Part], what: str) -> None:
    """Raise ValueError unless the ``what`` of all blocks are of one class."""
    kinds = sorted({type(part).__name__ for part in parts})
    check(
        len(kinds) == 1,
        f"The blocks of a network must have one kind of {what}, not {' and '.join(kinds)}",
    )
