"""Kinds by name and by layer: the built-in ones, and those that other packages register."""

from typing import Generic, TypeVar

from lutformer.errors import UsageError

from ..storage.part import Part
from ..storage.plugins import PluginError, plugins
from .attention import HAMMING, LINEAR, SOFTMAX
from .kind import AttentionKind, Kind, MlpKind
from .mlp import GELU, WEIGHTLESS

__all__ = ["ATTENTIONS", "MLPS", "Registry"]

K = TypeVar("K", bound=Kind)


class Registry(Generic[K]):
    """All kinds of one part of a block.

    Parameters
    ----------
    group : str
        Entry points by which other packages register theirs.
    expected : type
        Of every kind.
    built_in : tuple of Kind
    """

    def __init__(self, group: str, expected: type[K], built_in: tuple[K, ...]) -> None:
        self.group, self.expected = group, expected
        self.built_in = {kind.name: kind for kind in built_in}

    def all(self) -> dict[str, K]:
        """Return every kind by name, the built-in ones first.

        Raises
        ------
        PluginError
            If a package registers something else, or under a name that is taken or not its own.
        """
        kinds = dict(self.built_in)
        for name, kind in plugins(self.group).items():
            if not isinstance(kind, self.expected) or kind.name != name or name in kinds:
                raise PluginError(
                    f"The entry point {name!r} of {self.group} must be an "
                    f"{self.expected.__name__} of that name, and the only one"
                )
            kinds[name] = kind
        return kinds

    def find(self, name: str) -> K | None:
        """Return the kind of that name, if there is one."""
        return self.built_in.get(name) or self.all().get(name)

    def named(self, name: str) -> K:
        """Return the kind of that name.

        Raises
        ------
        UsageError
            If there is none.
        """
        kind = self.find(name)
        if kind is None:
            raise UsageError(
                f"There is no kind {name!r} in {self.group}; there are {', '.join(self.all())}"
            )
        return kind

    def of(self, layer: Part) -> K:
        """Return the kind of a layer.

        Raises
        ------
        TypeError
            If no kind has layers of its class.
        """
        for kinds in (lambda: self.built_in, self.all):
            for kind in kinds().values():
                if type(layer) is kind.layer:
                    return kind
        raise TypeError(f"{type(layer).__name__} belongs to no kind in {self.group}")


ATTENTIONS = Registry("lutformer.attention", AttentionKind, (HAMMING, LINEAR, SOFTMAX))
MLPS = Registry("lutformer.mlp", MlpKind, (WEIGHTLESS, GELU))
