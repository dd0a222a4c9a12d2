"""``KEY=VALUE`` words of the command line, put into a frozen configuration."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from .errors import UsageError
from .model.config import TrainConfig, VitConfig

__all__ = ["settled"]


def settled(
    model: VitConfig, train: TrainConfig, words: Sequence[str]
) -> tuple[VitConfig, TrainConfig]:
    """Return both configurations with the fields that ``words`` name replaced.

    A tuple is written with commas, as in ``luts=128,64``.

    Raises
    ------
    UsageError
        If a word is no ``KEY=VALUE``, names no field, or the value does not suit it.
    """
    changes: dict[str, dict[str, Any]] = {"model": {}, "train": {}}
    known = {f.name: "model" for f in fields(model)} | {f.name: "train" for f in fields(train)}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"{word!r} sets nothing: write KEY=VALUE, with KEY one of {', '.join(known)}"
            )
        old = getattr(model if known[name] == "model" else train, name)
        changes[known[name]][name] = _parse(name, text, old)
    try:
        return replace(model, **changes["model"]), replace(train, **changes["train"])
    except ValueError as error:
        raise UsageError(f"These settings do not go together: {error}") from error


def _parse(name: str, text: str, old: object) -> object:
    """Read ``text`` as what ``old`` is."""
    try:
        if isinstance(old, tuple):
            return tuple(int(part) for part in text.split(","))
        return type(old)(text)  # type: ignore[call-arg]
    except ValueError as error:
        kind = "numbers with commas" if isinstance(old, tuple) else type(old).__name__
        raise UsageError(f"{name} takes {kind}, not {text!r}") from error
