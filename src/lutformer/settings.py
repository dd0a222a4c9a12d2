"""``KEY=VALUE`` words of the command line, put into the configuration of a preset."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from .errors import UsageError
from .families import Config, Data, family_of
from .model.config.presets import Preset
from .model.config.transformer import BlockConfig, Recipe
from .model.kinds.option import Option
from .model.kinds.registry import ATTENTIONS, MLPS
from .model.storage.renamed import OPTIONS, present_names

__all__ = ["Changes", "parse", "settled"]

BOOLEANS = {"true": True, "false": False}
Changes = dict[str, Any]
"""Values by the names of fields of the preset's network and of its recipe."""


def parse(words: Sequence[str], preset: Preset) -> Changes:
    """Parse settings; a tuple is written with commas, as in ``luts=128,64``.

    Raises
    ------
    UsageError
        If a word is no ``KEY=VALUE``, names no field, or its value is of another kind.
    """
    old = {**vars(preset.model), **vars(preset.train)}
    old.pop("options", None)
    options = _options(preset.model, words)
    changes: Changes = {}
    for word in words:
        former, equals, text = word.partition("=")
        (name,) = present_names({former: text}, OPTIONS, old | options)
        if not equals or name not in (old | options):
            keys = ", ".join(old | options)
            raise UsageError(f"{word!r} is not a setting: write KEY=VALUE, with KEY one of {keys}")
        if name in options:
            changes[name] = _option(options[name], text)
        else:
            changes[name] = _value(name, text, old[name])
    return changes


def _options(model: Config, words: Sequence[str]) -> dict[str, Option]:
    """Return by name the options of the chosen kinds that are no fields of ``model``."""
    if not isinstance(model, BlockConfig):
        return {}
    chosen = dict(word.split("=", 1) for word in words if "=" in word)
    kinds = (
        ATTENTIONS.find(chosen.get("attention", model.attention)),
        MLPS.find(chosen.get("mlp", model.mlp)),
    )
    options = [option for kind in kinds if kind is not None for option in kind.options]
    return {option.name: option for option in options if option.name not in vars(model)}


def _option(option: Option, text: str) -> object:
    """Read ``text`` as a value of an option."""
    try:
        value = option.read(text)
        option.check(value, option.name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return value


def settled(preset: Preset, data: Data, changes: Changes) -> tuple[Config, Recipe]:
    """Return the network and recipe of ``preset`` for ``data``, with ``changes``.

    Raises
    ------
    UsageError
        If what comes out makes no sense.
    """
    shape = family_of(data).fields_of(data)
    recipe = {f.name: changes[f.name] for f in fields(preset.train) if f.name in changes}
    network = {name: value for name, value in changes.items() if name not in recipe}
    options = {name: network.pop(name) for name in list(network) if name not in vars(preset.model)}
    if options:
        network["options"] = tuple(options.items())
    try:
        return replace(preset.model, **shape | network), replace(preset.train, **recipe)
    except ValueError as error:
        raise UsageError(
            f"This network or recipe does not work for {data.name}: {error}; change it with --set"
        ) from error


def _value(name: str, text: str, old: object) -> object:
    """Parse ``text`` as a value of the type of ``old``."""
    try:
        if isinstance(old, tuple):
            return tuple(int(part) for part in text.split(","))
        if isinstance(old, bool):
            return BOOLEANS[text]
        return type(old)(text)  # type: ignore[call-arg]
    except (ValueError, KeyError) as error:
        kinds = {tuple: "numbers with commas", bool: "true or false"}
        kind = kinds.get(type(old), type(old).__name__)
        raise UsageError(f"{name} takes {kind}, not {text!r}") from error
