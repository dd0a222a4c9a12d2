"""What other packages add: objects that they register by entry points."""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from lutformer.errors import LutformerError

__all__ = ["GROUPS", "PluginError", "load_all", "plugins", "resolve"]

GROUPS = ("lutformer.attention", "lutformer.mlp")
"""Groups of entry points; each holds the kinds of one part of a block by name."""


class PluginError(LutformerError):
    """A package that registers something which cannot be loaded."""


@cache
def plugins(group: str) -> dict[str, Any]:
    """Return what the installed packages register in a group, by name.

    Raises
    ------
    PluginError
        If an entry point cannot be imported.
    """
    found = {}
    for point in entry_points(group=group):
        try:
            found[point.name] = point.load()
        except Exception as error:
            raise PluginError(
                f"The entry point {point.name!r} of {group} ({point.value}) cannot be loaded: "
                f"{error}; repair or uninstall its package"
            ) from error
    return found


def load_all() -> None:
    """Import what all groups register, so that parts of networks are known by their names."""
    for group in GROUPS:
        plugins(group)


def resolve(reference: str) -> Any:
    """Return the object that ``package.module:name`` refers to."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
