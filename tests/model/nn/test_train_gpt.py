"""Training of decoders: learns, resumes, keeps the best."""

import csv
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lutformer.model.config.gpt import GptConfig, GptRecipe
from lutformer.model.config.presets import preset
from lutformer.model.data.text import Text, load_text
from lutformer.model.network.generation import generate
from lutformer.model.network.gpt import Gpt
from lutformer.model.network.text_loss import golden_loss
from lutformer.model.nn.training.checkpoint import (
    CheckpointError,
    export_checkpoint,
    load_checkpoint,
)
from lutformer.model.nn.training.gpt_run import BEST_NAME, measure
from lutformer.model.nn.training.train import CHECKPOINT_NAME, train
from lutformer.model.vocabulary import Vocabulary

POEM = "Tiger, tiger, burning bright\nin the forests of the night\n" * 20
RECIPE = GptRecipe(epochs=3, interval=40, warmup=10, lr=1e-2)


@pytest.fixture
def poem(tmp_path) -> Text:
    (tmp_path / "poem.txt").write_text(POEM)
    return load_text(tmp_path / "poem.txt")


def tiny(text: Text, **changes: Any) -> GptConfig:
    base = preset("gpt-tiny").model
    assert isinstance(base, GptConfig)
    return replace(base, vocabulary=text.vocabulary.size, **changes)


@pytest.mark.parametrize("kind", ["quantised", "float", "none"])
def test_it_learns_a_poem(kind, poem):
    config = tiny(poem, **{"positions": "none"} if kind == "none" else {})
    config = config.float_twin() if kind == "float" else config
    result = train(config, replace(RECIPE, epochs=4), poem)
    first, *_, last = result.validation_losses
    assert last < first
    assert last < 0.6 * np.log(config.vocabulary)
    assert result.test_accuracy > 0.5


def test_what_it_leaves(poem, tmp_path):
    config, folder = tiny(poem), tmp_path / "run"
    result = train(config, RECIPE, poem, folder)
    names = sorted(p.name for p in folder.iterdir())
    assert names == [BEST_NAME, CHECKPOINT_NAME, "curve.csv", "curve.png", "samples"]
    assert result.checkpoint == folder / BEST_NAME
    rows = list(csv.DictReader((folder / "curve.csv").read_text().splitlines()))
    losses = [float(row["validation_loss"]) for row in rows]
    assert losses == pytest.approx(result.validation_losses, rel=1e-5)
    assert load_checkpoint(folder / BEST_NAME).epoch == 1 + losses.index(min(losses))
    assert load_checkpoint(folder / CHECKPOINT_NAME).epoch == RECIPE.epochs
    samples = sorted(p.name for p in (folder / "samples").iterdir())
    assert samples == ["step-000040.txt", "step-000080.txt", "step-000120.txt"]
    assert len((folder / "samples/step-000120.txt").read_text()) == 201


def test_the_best_weights_stay_when_it_gets_worse(poem, tmp_path):
    """With a rate that ruins the network later on, as the schedule of another recipe has it."""
    recipe = replace(RECIPE, epochs=2, lr=1e-2)
    train(tiny(poem), recipe, poem, tmp_path / "run", stop_after=1)
    before = load_checkpoint(tmp_path / "run" / BEST_NAME)
    spoiled = replace(poem, train_tokens=np.zeros_like(poem.train_tokens))
    object.__setattr__(spoiled, "fingerprint", poem.fingerprint)
    result = train(tiny(poem), recipe, spoiled, tmp_path / "run")
    assert result.validation_losses[1] > result.validation_losses[0]
    after = load_checkpoint(tmp_path / "run" / BEST_NAME)
    assert after.epoch == before.epoch == 1
    assert all(torch.equal(after.model[name], x) for name, x in before.model.items())


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_resumed_run_ends_in_the_same_weights(poem, tmp_path, dropout):
    config, recipe = tiny(poem), replace(RECIPE, dropout=dropout)
    whole = train(config, recipe, poem, tmp_path / "whole")
    stopped = train(config, recipe, poem, tmp_path / "parts", stop_after=1)
    assert not stopped.complete
    resumed = train(config, recipe, poem, tmp_path / "parts")
    assert resumed.validation_losses == whole.validation_losses
    for one, two in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, two)


def test_measured_in_torch_and_by_the_golden_run(poem, tmp_path):
    result = train(tiny(poem, weights="int8"), RECIPE, poem, tmp_path / "run")
    network = export_checkpoint(tmp_path / "run" / CHECKPOINT_NAME)
    assert isinstance(network, Gpt)
    model: Any = result.model
    assert golden_loss(network, poem) == pytest.approx(measure(model, poem), rel=1e-9)
    assert golden_loss(network, poem)[0] == pytest.approx(result.validation_losses[-1], rel=1e-6)
    assert network.vocabulary.characters == poem.vocabulary.characters


def test_seeds_differ_and_repeat(poem):
    one, two, three = (
        train(tiny(poem), replace(RECIPE, epochs=1, seed=seed), poem).validation_losses
        for seed in (0, 0, 1)
    )
    assert one == two
    assert one != three


def test_a_network_without_end_generates_on(poem, tmp_path):
    config = tiny(poem, positions="none", block_size=8)
    train(config, RECIPE, poem, tmp_path / "run")
    network = export_checkpoint(tmp_path / "run" / BEST_NAME)
    assert isinstance(network, Gpt)
    assert network.endless
    made = generate(network, network.vocabulary.prompt("Tiger"), lambda x: int(x.argmax()))
    tokens = [next(made).token for _ in range(40)]
    assert len(set(tokens)) > 3


def test_another_text_is_refused(poem, tmp_path):
    train(tiny(poem), RECIPE, poem, tmp_path / "run", stop_after=1)
    other = replace(poem, train_tokens=poem.train_tokens[1:])
    with pytest.raises(CheckpointError, match="belongs to another run"):
        train(tiny(poem), RECIPE, other, tmp_path / "run")
    with pytest.raises(ValueError, match=r"^Text poem.txt has 16 characters, the network 9$"):
        train(replace(tiny(poem), vocabulary=9), RECIPE, poem)
    few = replace(poem, vocabulary=Vocabulary(characters="ab"))
    with pytest.raises(ValueError, match=r"^Text poem.txt has 2 characters, the network 16$"):
        train(tiny(poem), RECIPE, few)


def test_dropout_must_leave_something():
    with pytest.raises(ValueError, match=r"^GptRecipe.dropout must be less than 1, not 1.0$"):
        GptRecipe(dropout=1.0)
