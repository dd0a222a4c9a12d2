"""Kinds: found by name and by layer, complete, and refused where they are not."""

import json
from dataclasses import fields, replace
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest

from lutformer.errors import UsageError
from lutformer.model.attention import Attention
from lutformer.model.config.presets import preset
from lutformer.model.config.transformer import BlockConfig, VitConfig
from lutformer.model.data.images import load_data
from lutformer.model.kinds.attention import HAMMING
from lutformer.model.kinds.kind import AttentionKind
from lutformer.model.kinds.option import Option
from lutformer.model.kinds.registry import ATTENTIONS, MLPS
from lutformer.model.network.network_file import load_vit, save_network
from lutformer.model.storage import plugins
from lutformer.model.storage.part import Part
from lutformer.model.storage.plugins import PluginError
from lutformer.settings import parse, settled
from lutformer.testing.random_network import NetworkShape, random_network

BUILT_IN = [*ATTENTIONS.built_in.values(), *MLPS.built_in.values()]


@pytest.fixture
def installed(monkeypatch):
    """Return a function that makes entry points look installed."""

    def install(*points: Any):
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


FAR = replace(
    HAMMING, name="far", options=(*HAMMING.options, Option(name="reach", default=4, least=1))
)


@pytest.fixture
def far(installed):
    """Install a package that brings the kind FAR."""
    stub = SimpleNamespace(name="far", value="far:FAR", group="lutformer.attention")
    stub.load = lambda: FAR
    installed(stub)


@pytest.mark.usefixtures("far")
def test_options_of_other_packages_are_kept_in_configurations():
    config = VitConfig(height=8, width=8, attention="far")
    assert config.option("reach") == 4
    chosen = VitConfig(height=8, width=8, attention="far", options=(("reach", 9),))
    assert chosen.option("reach") == 9
    assert chosen.to_dict()["options"] == {"reach": 9}
    assert VitConfig.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen
    assert chosen.float_twin().options == ()
    with pytest.raises(ValueError, match=r"^VitConfig\.reach must be at least 1, not 0$"):
        replace(chosen, options=(("reach", 0),))
    with pytest.raises(
        ValueError, match=r"^VitConfig\.reach is no option of attention=hamming and mlp=weightless$"
    ):
        replace(chosen, attention="hamming")


def test_configurations_of_built_in_kinds_are_filed_as_before():
    assert "options" not in VitConfig(height=8, width=8).to_dict()


@pytest.mark.usefixtures("far")
def test_options_of_other_packages_are_set_on_the_command_line():
    tiny, data = preset("tiny"), load_data("digits")
    model, _ = settled(tiny, data, parse(["reach=6", "attention=far", "top_k=2"], tiny))
    assert isinstance(model, VitConfig)
    assert (model.attention, model.option("reach"), model.top_k) == ("far", 6, 2)
    with pytest.raises(UsageError, match=r"^reach takes int, not 'x'$"):
        parse(["attention=far", "reach=x"], tiny)
    with pytest.raises(UsageError, match=r"^reach must be at least 1, not 0$"):
        parse(["attention=far", "reach=0"], tiny)
    with pytest.raises(UsageError, match=r"^'reach=6' is not a setting: write KEY=VALUE"):
        parse(["reach=6"], tiny)


def test_a_network_file_brings_the_kinds_of_other_packages_in(tmp_path, installed):
    """Reading a part that is not known yet imports what the packages register."""
    path, name = tmp_path / "network.safetensors", "HammingAttention"
    save_network(random_network(NetworkShape()), path)
    stub = SimpleNamespace(name="late", value="late:KIND", group="lutformer.attention")
    stub.load = lambda: Part.registry.setdefault(name, HAMMING.layer) and FAR
    installed(stub)
    del Part.registry[name]
    try:
        assert isinstance(load_vit(path).blocks[0].attention, HAMMING.layer)
    finally:
        Part.registry[name] = HAMMING.layer


def test_a_part_cannot_take_the_name_of_another():
    with pytest.raises(TypeError, match=r"defines a HammingAttention, a name that lutformer\."):
        type("HammingAttention", (Attention,), {})
