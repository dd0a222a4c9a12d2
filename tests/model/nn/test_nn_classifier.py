"""The trained classifier: equal to the golden run, resumable, and in its checkpoints."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lutformer.model.config.classifier import ClassifierConfig, ClassifierRecipe
from lutformer.model.data.table import Table
from lutformer.model.network import weightless_classifier as golden
from lutformer.model.network.weightless_classifier import weightless_classifier
from lutformer.model.nn.mapping import MAPPINGS
from lutformer.model.nn.network.weightless_classifier import WeightlessClassifier
from lutformer.model.nn.surrogate import SURROGATES
from lutformer.model.nn.training.checkpoint import (
    CheckpointError,
    export_checkpoint,
    load_checkpoint,
)
from lutformer.model.nn.training.classifier_run import ClassifierRun
from lutformer.model.nn.training.export import export_classifier
from lutformer.model.nn.training.schedule import Schedule
from lutformer.model.nn.training.train import CHECKPOINT_NAME, train

CONFIG = ClassifierConfig(features=4, classes=3, luts=(24, 12), fan_in=3, temperature=1.0)
RECIPE = ClassifierRecipe(epochs=3, batch=16, seed=3)


def corners(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows around three points; the last feature is always 0."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = np.array([[0, 0, 1, 0], [1, 0, -1, 0], [0, 1, 0, 0]])
    return centres[labels] + rng.normal(0, 0.4, (count, 4)) * [1, 1, 1, 0], labels


@pytest.fixture(scope="module")
def data() -> Table:
    rows, labels = corners(120, 0)
    test_rows, test_labels = corners(60, 1)
    return Table(
        name="corners",
        train_rows=rows,
        train_labels=labels,
        test_rows=test_rows,
        test_labels=test_labels,
        class_names=("a", "b", "c"),
    )


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    return train(CONFIG, RECIPE, data, tmp_path_factory.mktemp("run"))


SHAPES = {
    "one layer": {"luts": (7,)},
    "reduced to one bit a class": {"luts": (12, 6, 3), "fan_in": 2},
    "groups of unequal size": {"luts": (20, 11), "fan_in": 4},
    "six inputs": {"luts": (5,), "fan_in": 6, "encoding": "gaussian"},
    "one bit each": {"thermometer_bits": 1, "encoding": "uniform"},
    "narrow words": {"word_bits": 3, "inner_mapping": "candidates"},
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_integer_equals_the_golden_run(name, data):
    config = replace(CONFIG, **SHAPES[name])
    model = train(config, replace(RECIPE, epochs=1), data).model
    assert isinstance(model, WeightlessClassifier)
    network = export_classifier(model)
    words = network.encoder.words(data.all_rows)
    ours, golden = model.integers(torch.from_numpy(words)), weightless_classifier(network, words)
    assert ours.keys() == golden.keys()
    for key, value in golden.items():
        assert (ours[key].numpy() == value).all(), key


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("mapping", [name for name in MAPPINGS if name != "shared"])  # by blocks
def test_it_learns(surrogate, mapping, data):
    config = replace(CONFIG, surrogate=surrogate, mapping=mapping, inner_mapping=mapping)
    assert train(config, replace(RECIPE, epochs=8), data).test_accuracy > 0.75


def test_training_computes_what_evaluation_does(data):
    run = ClassifierRun(CONFIG, RECIPE, data, "cpu")
    logits = run.model(run.words)
    assert torch.equal(logits * CONFIG.temperature, run.model.integers(run.words)["counts"].float())


def test_useless_bits_are_not_wired(data):
    """The last feature never changes."""
    model = ClassifierRun(replace(CONFIG, luts=(60,)), RECIPE, data, "cpu").model
    assert model.wiring()[0].max() < 3 * CONFIG.thermometer_bits
    assert len(model.useful) == 3 * CONFIG.thermometer_bits


def test_wiring_learns_at_some_steps_only(data):
    run = ClassifierRun(CONFIG, replace(RECIPE, wiring_steps=3), data, "cpu")
    mapping = run.model.layers[0].mapping
    learned = []
    for step in range(7):
        run.begin_step(step)
        learned.append(mapping.learning)  # type: ignore[union-attr]
    assert learned == [True, False, False, True, False, False, True]
    run.train_epoch(lambda step, loss, hits: None)
    assert run.epoch == 1


@pytest.mark.parametrize("penalty", ["spectral", "influence"])
def test_penalties_shrink_tables(penalty, data):
    size = []
    for weight in (0.0, 0.1):
        model = train(CONFIG, replace(RECIPE, **{penalty: weight}), data).model
        assert isinstance(model, WeightlessClassifier)
        size.append(model.layers[0].tables.detach().square().mean())  # type: ignore[union-attr,operator]
    assert size[1] < size[0]


def test_stopped_and_resumed_equals_straight(trained, data, tmp_path):
    for stop in (1, 2, None):
        train(CONFIG, RECIPE, data, tmp_path, stop_after=stop)
    straight, resumed = load_file(trained.checkpoint), load_file(tmp_path / CHECKPOINT_NAME)
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[name]) for name, value in straight.items())
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {CHECKPOINT_NAME, "curve.csv", "curve.png"}


def test_checkpoint_becomes_the_network_that_was_trained(trained, data):
    checkpoint = load_checkpoint(trained.checkpoint)
    assert (checkpoint.config, checkpoint.train) == (CONFIG, RECIPE)
    network = export_checkpoint(trained.checkpoint)
    assert isinstance(network, golden.WeightlessClassifier)
    assert network.class_names == data.class_names
    origin = json.loads(network.origin)["data"]
    assert origin == {"name": "corners", "fingerprint": data.fingerprint, "label": None}
    words = network.encoder.words(data.test_rows)  # type: ignore[attr-defined]
    classes = weightless_classifier(network, words)["class"]  # type: ignore[arg-type]
    assert (classes == data.test_labels).mean() == trained.test_accuracy


def test_checkpoint_of_another_run(trained, data):
    with pytest.raises(CheckpointError, match=r"belongs to another run \(other network, recipe"):
        train(replace(CONFIG, fan_in=2), RECIPE, data, trained.checkpoint.parent)


def test_wrong_data_is_refused(data):
    with pytest.raises(ValueError, match=r"^Rows of corners have 4 features, the network takes 5$"):
        train(replace(CONFIG, features=5), RECIPE, data)
    with pytest.raises(ValueError, match=r"^Dataset corners has 3 classes, the network 2$"):
        train(replace(CONFIG, classes=2), RECIPE, data)


def test_steps_of_the_learning_rate():
    schedule = Schedule(replace(RECIPE, schedule="steps", step_epochs=2, epochs=5), 10)
    assert [schedule.rate(s) for s in (0, 19, 20, 45)] == pytest.approx([1, 1, 0.1, 0.01])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"luts": ()}, r"ClassifierConfig.luts must name at least one layer"),
        ({"luts": (9, 0)}, r"ClassifierConfig.luts must hold positive counts, not \(9, 0\)"),
        ({"luts": (9, 2)}, r"ClassifierConfig.luts must end with 3 LUTs at least, .*, not 2"),
        ({"fan_in": 7}, r"ClassifierConfig.fan_in must be 1 to 6, not 7"),
        ({"mapping": "x"}, r"ClassifierConfig.mapping must be one of random, learnable, .*"),
        ({"surrogate": "x"}, r"ClassifierConfig.surrogate must be one of exponential, efd, .*"),
        ({"temperature": 0.0}, r"ClassifierConfig.temperature must be positive, not 0.0"),
        ({"word_bits": 33}, r"ClassifierConfig.word_bits must be 0 to 32, not 33"),
    ],
)
def test_impossible_networks_are_refused(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(CONFIG, **change)
