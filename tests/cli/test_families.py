"""One object a family: found by class, complete, and quick to import."""

import subprocess
import sys

import numpy as np
import pytest

from lutformer.errors import UsageError
from lutformer.families import FAMILIES, family_of
from lutformer.families.unit import Unit
from lutformer.model.config.presets import PRESETS
from lutformer.testing.random_classifier import random_classifier
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.testing.random_network import NetworkShape, random_network

NETWORKS = [random_network(NetworkShape()), random_gpt(GptShape()), random_classifier()]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: type(network).__name__)
def test_family_runs_its_networks(network):
    family = family_of(network)
    assert isinstance(network, family.network)
    inputs = family.random_inputs(network, 2)
    integers = family.integers(network, inputs)
    assert {len(array) for array in integers.values()} == {len(inputs)}
    assert np.array_equal(inputs, family.random_inputs(network, 2))
    if family.text:
        assert family.text_network(network) is network
        with pytest.raises(UsageError, match=r"^This network generates text: give a --prompt"):
            family.answers(network, inputs)
    else:
        answers = family.answers(network, inputs)
        assert answers.logits.shape == (2, len(family.class_names(network)))
        assert [len(packed) for packed in network.pack(inputs)] == [16 if family.program else 5] * 2
        with pytest.raises(UsageError, match=rf"^This network reads {family.example.plural}: "):
            family.text_network(network)


@pytest.mark.parametrize("name", ["digits", "dwn-digits", "gpt-tiny"])
def test_families_of_a_preset_and_of_its_data_are_the_same(name):
    preset = PRESETS[name]
    family = family_of(preset.model)
    data = family.load(preset.data)
    assert family_of(data) is family
    assert set(family.fields_of(data)) <= set(vars(preset.model))
    assert family.columns(preset.model)


def test_every_preset_has_a_family():
    assert {family_of(preset.model) for preset in PRESETS.values()} == set(FAMILIES)


def test_foreign_classes_have_none():
    with pytest.raises(TypeError, match=r"^str is of no known family$"):
        family_of("digits")  # type: ignore[arg-type]


def test_units_in_sentences():
    image, row = Unit("image"), Unit("row")
    assert (image.one, row.one) == ("an image", "a row")
    assert (row.counted(1), row.counted(1200)) == ("1 row", "1,200 rows")


def test_slow_packages_wait_for_what_needs_them():
    code = (
        "import sys, lutformer.families\n"
        "print([name for name in ('torch', 'amaranth', 'cocotb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
