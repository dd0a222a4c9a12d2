"""A kind of attention, or of MLP: everything that it brings, in one object."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..attention import Attention, attend
from ..costs.accounting import Items, itemize
from ..mlp import Mlp, mlp
from ..storage.part import Part, check
from ..storage.plugins import resolve
from .option import Option

__all__ = ["AttentionKind", "Kind", "MlpKind"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What attention and MLP have in common.

    Torch and Amaranth are imported only when their part is asked for: ``training``, ``hardware``
    and ``random`` are references of the form ``package.module:name``.

    Attributes
    ----------
    name : str
        As in ``--set attention=NAME`` or ``--set mlp=NAME``.
    layer : type of Part
        The integer layer. ``itemize`` has a rule for it, which counts its operations.
    options : tuple of Option
        Settings of this kind. Those of other packages are read by ``config.option(name)``.
    training : str
        The layer in PyTorch, made by ``(config, ramp, *, output_std)``; its method ``export``
        returns a ``layer``.
    hardware : str
        The engine, and all that planner and program must know of it.
    random : str
        ``function(draw) -> layer``, of random weights: to size hardware before training, and to
        test it.
    """

    name: str
    layer: type[Part]
    options: tuple[Option, ...] = ()
    training: str
    hardware: str
    random: str

    def __post_init__(self) -> None:
        self._require(self.itemize is not itemize.dispatch(object), "itemize")

    def _require(self, condition: bool, rule: str) -> None:
        check(condition, f"{self.name}: {rule} has no rule for {self.layer.__name__}")

    @property
    def itemize(self) -> Callable[[Any, int], Items]:
        """The rule that counts operations and memory of a layer over so many tokens."""
        return itemize.dispatch(self.layer)

    def load_training(self) -> Any:
        """Import and return the layer in PyTorch."""
        return resolve(self.training)

    def load_hardware(self) -> Any:
        """Import and return what the kind asks of the hardware."""
        return resolve(self.hardware)

    def load_random(self) -> Any:
        """Import and return the maker of random layers."""
        return resolve(self.random)


@dataclass(frozen=True, kw_only=True)
class AttentionKind(Kind):
    """A kind of attention.

    ``layer`` has a rule of ``attend``, the golden function. ``training`` is a subclass of
    :class:`lutformer.model.nn.attention.Attention`, ``hardware`` an
    :class:`lutformer.hdl.attention.kinds.AttentionHardware`.
    """

    layer: type[Attention]

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.golden is not attend.dispatch(object), "attend")

    @property
    def golden(self) -> Callable[..., dict[str, Any]]:
        """The rule that computes every integer of a layer."""
        return attend.dispatch(self.layer)


@dataclass(frozen=True, kw_only=True)
class MlpKind(Kind):
    """A kind of MLP.

    ``layer`` has a rule of ``mlp``, the golden function. ``training`` is a subclass of
    :class:`lutformer.model.nn.mlp.Mlp`, ``hardware`` an
    :class:`lutformer.hdl.mlp.kinds.MlpHardware`.
    """

    layer: type[Mlp]

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.golden is not mlp.dispatch(object), "mlp")

    @property
    def golden(self) -> Callable[..., dict[str, Any]]:
        """The rule that computes every integer of a layer."""
        return mlp.dispatch(self.layer)
