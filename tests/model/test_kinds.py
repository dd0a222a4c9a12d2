"""Kinds: found by name and by layer, complete, and refused where they are not."""

from dataclasses import fields
from importlib.metadata import EntryPoint

import pytest

from lutformer.errors import UsageError
from lutformer.model.attention import Attention
from lutformer.model.config.transformer import BlockConfig
from lutformer.model.kinds.attention import HAMMING
from lutformer.model.kinds.kind import AttentionKind
from lutformer.model.kinds.option import Option
from lutformer.model.kinds.registry import ATTENTIONS, MLPS
from lutformer.model.storage import plugins
from lutformer.model.storage.plugins import PluginError

BUILT_IN = [*ATTENTIONS.built_in.values(), *MLPS.built_in.values()]


@pytest.fixture
def installed(monkeypatch):
    """Return a function that makes entry points look installed."""

    def install(*points: EntryPoint):
        monkeypatch.setattr(
            plugins, "entry_points", lambda group: [p for p in points if p.group == group]
        )

    plugins.plugins.cache_clear()
    yield install
    plugins.plugins.cache_clear()


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group="lutformer.attention")


def test_names_and_layers_lead_to_kinds():
    assert list(ATTENTIONS.built_in) == ["hamming", "linear", "softmax"]
    assert ATTENTIONS.named("hamming") is HAMMING
    with pytest.raises(UsageError, match=r"^There is no kind 'x' in lutformer\.mlp; there are "):
        MLPS.named("x")
    with pytest.raises(TypeError, match=r"^object belongs to no kind in lutformer\.mlp$"):
        MLPS.of(object())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: kind.name)
def test_built_in_kinds_are_complete(kind):
    assert kind.load_training().__name__ == kind.layer.__name__
    assert callable(kind.golden)
    assert callable(kind.itemize)
    assert callable(kind.load_random())
    assert callable(kind.load_hardware().engine)


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: kind.name)
def test_options_of_built_in_kinds_are_fields_with_the_same_defaults(kind):
    defaults = {field.name: field.default for field in fields(BlockConfig)}
    for option in kind.options:
        assert defaults[option.name] == option.default


def test_a_kind_without_rules_is_refused():
    class Nameless(Attention):
        pass

    with pytest.raises(ValueError, match=r"^x: itemize has no rule for Nameless$"):
        AttentionKind(name="x", layer=Nameless, training="", hardware="", random="")


def test_another_package_cannot_take_a_name(installed):
    installed(point("hamming", "lutformer.model.kinds.attention:HAMMING"))
    with pytest.raises(PluginError, match=r"^The entry point 'hamming' of lutformer\.attention "):
        ATTENTIONS.named("x")


def test_what_is_no_kind_is_refused(installed):
    installed(point("x", "lutformer.model.kinds.mlp:GELU"))
    with pytest.raises(PluginError, match="must be an AttentionKind of that name"):
        ATTENTIONS.named("x")


def test_a_package_that_cannot_be_imported_is_named(installed):
    installed(point("x", "lutformer.nowhere:KIND"))
    with pytest.raises(PluginError, match=r"'x' .*nowhere.* cannot be loaded: No module named"):
        ATTENTIONS.named("x")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (Option(name="a", default=4, least=1), 0, "a must be at least 1, not 0"),
        (Option(name="a", default=4, most=8), 9, "a must be at most 8, not 9"),
        (Option(name="a", default=4, least=1, most=8), True, "a must be int, not True"),
        (Option(name="a", default=0.5), "x", "a must be float, not 'x'"),
        (Option(name="a", default="b", choices=("b", "c")), "d", "a must be one of b, c, not 'd'"),
        (Option(name="a", default=(1,), least=1), (2, 0), r"a must be at least 1, not \(2, 0\)"),
    ],
)
def test_options_refuse(option, value, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        option.check(value, "a")


@pytest.mark.parametrize(
    ("default", "text", "value"),
    [(4, "5", 5), (0.5, "2", 2.0), (True, "false", False), ("a", "b", "b"), ((1,), "2,3", (2, 3))],
)
def test_options_are_read_from_text(default, text, value):
    assert Option(name="a", default=default).read(text) == value


def test_text_of_another_type_is_refused():
    with pytest.raises(ValueError, match=r"^a takes true or false, not 'yes'$"):
        Option(name="a", default=True).read("yes")
