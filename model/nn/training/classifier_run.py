"""Training run of a weightless classifier."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config.classifier import ClassifierConfig, ClassifierRecipe
from ...data.encoding import ENCODINGS, Rows
from ...data.table import Table
from ...network.weightless_classifier import FeatureEncoder
from ...network.words import encoder_of
from ..mapping import LearnedMapping
from ..network.weightless_classifier import WeightlessClassifier
from .checkpoint import describe
from .evaluate import accuracy
from .run import Run
from .spectral import influence, spectral_norm

__all__ = ["ClassifierRun"]


class ClassifierRun(Run[WeightlessClassifier, ClassifierRecipe]):
    """State of a run; the thresholds are found before it, and stay.

    Parameters
    ----------
    config : ClassifierConfig
    recipe : ClassifierRecipe
    data : Table
    device : str
        Of torch.
    """

    def __init__(
        self, config: ClassifierConfig, recipe: ClassifierRecipe, data: Table, device: str
    ) -> None:
        _check(config, data)
        encoder = _encoder(config, data)
        useful = torch.from_numpy(_useful(encoder, data.train_rows))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            model = WeightlessClassifier(config, encoder, useful).to(device).train()
        self.words = torch.from_numpy(_words(encoder, data.train_rows)).to(device)
        self.labels = torch.from_numpy(data.train_labels).to(device)
        self.test_words = _words(encoder, data.test_rows)
        self.test_labels = data.test_labels
        super().__init__(model, recipe, describe(data), len(data.train_labels))

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng((self.recipe.seed, self.epoch))
        order = torch.from_numpy(rng.permutation(len(self.labels))).to(self.labels.device)
        for index in order.split(self.recipe.batch):
            yield self.words[index], self.labels[index]

    def begin_step(self, step: int) -> None:
        for module in self.model.modules():
            if isinstance(module, LearnedMapping):
                module.learning = step % self.recipe.wiring_steps == 0

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | float]:
        weights = {spectral_norm: self.recipe.spectral, influence: self.recipe.influence}
        besides = sum(
            weight * penalty(layer.tables)  # type: ignore[arg-type]
            for layer in self.model.layers
            for penalty, weight in weights.items()
            if weight
        )
        return self.model(inputs), besides

    def test_accuracy(self) -> float:
        return accuracy(self.model, self.test_words, self.test_labels)


def _encoder(config: ClassifierConfig, data: Table) -> FeatureEncoder:
    thresholds = ENCODINGS[config.encoding](data.train_rows, config.thermometer_bits)
    return encoder_of(thresholds, data.all_rows, config.word_bits)


def _useful(encoder: FeatureEncoder, rows: Rows) -> NDArray[np.int64]:
    """Return the thermometer bits that differ between rows and are no copies of a neighbour."""
    words, thresholds = encoder.words(rows), encoder.thresholds
    low, high = words.min(0)[:, None], words.max(0)[:, None]
    first = np.diff(thresholds, axis=1, prepend=thresholds[:, :1] - 1) > 0
    useful = np.flatnonzero(first & (low <= thresholds) & (thresholds < high))
    return useful if len(useful) else np.arange(thresholds.size)


def _words(encoder: FeatureEncoder, rows: Rows) -> NDArray[np.signedinteger]:
    """Return words in an integer type not larger than they need."""
    kind = np.min_scalar_type(-1 - encoder.highest)
    return encoder.words(rows).astype(kind)


def _check(config: ClassifierConfig, data: Table) -> None:
    if data.features != config.features:
        raise ValueError(
            f"Rows of {data.name} have {data.features} features, the network takes "
            f"{config.features}"
        )
    if len(data.class_names) != config.classes:
        raise ValueError(
            f"Dataset {data.name} has {len(data.class_names)} classes, the network {config.classes}"
        )
