"""DWNs of digits as torch-dwn would save them: what both generators are given."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lutformer.console import notes
from lutformer.errors import UsageError
from lutformer.model.config.classifier import ClassifierConfig, ClassifierRecipe
from lutformer.model.data.table import Table, load_table
from lutformer.model.network.weightless_classifier import FeatureEncoder, weightless_classifier
from lutformer.model.network.weightless_classifier import WeightlessClassifier as Network
from lutformer.model.nn.lut_layer import LutLayer
from lutformer.model.nn.network.weightless_classifier import WeightlessClassifier
from lutformer.model.nn.training.torch_dwn import load_torch_dwn
from lutformer.model.nn.training.train import progress_bar, train

__all__ = ["NETWORKS", "Trained", "trained"]

NETWORKS: dict[str, tuple[int, tuple[int, ...]]] = {
    "n6_100": (6, (100,)),
    "n6_300_100": (6, (300, 100)),
    "n4_100": (4, (100,)),
    "n4_400": (4, (400,)),
    "n2_400": (2, (400,)),
}
"""Fan-in and layers by name."""
LEVELS = 16
"""Digits have so many steps of grey; the networks see them divided by it."""
WORD = {"bits": 6, "signed": True, "fraction": 4}
"""What dwn2rtl chooses for sixteenths from 0 to 1."""
RECIPE = ClassifierRecipe(epochs=30, batch=32, lr=1e-2, schedule="steps", step_epochs=14)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network, its file, and held-out samples as words [samples, features]."""

    name: str
    checkpoint: Path
    network: Network
    words: NDArray[np.int64]
    accuracy: float


def trained(folder: Path, names: list[str]) -> Iterator[Trained]:
    """Yield networks by name, from ``folder/NAME.pt``; those of :data:`NETWORKS` are made there.

    Raises
    ------
    CheckpointError, UsageError
        If a file is no model of torch-dwn, or not one of digits in sixteenths.
    """
    table = _sixteenths(load_table("digits"))
    for name in names:
        path = folder / f"{name}.pt"
        if not path.is_file():
            if name not in NETWORKS:
                raise UsageError(f"There is no {path}, and no recipe for {name!r}")
            _make(path, *NETWORKS[name], table)
        network = _read(path)
        words = network.encoder.words(table.test_rows)
        right = weightless_classifier(network, words)["class"] == table.test_labels
        yield Trained(
            name=name,
            checkpoint=path,
            network=network,
            words=words,
            accuracy=round(100 * float(right.mean()), 2),
        )


def _sixteenths(table: Table) -> Table:
    return replace(table, train_rows=table.train_rows / LEVELS, test_rows=table.test_rows / LEVELS)


def _make(path: Path, fan_in: int, luts: tuple[int, ...], table: Table) -> None:
    """Train by the recipe of DWN's release; write the model whole or not at all."""
    torch.set_num_threads(1)  # sums in another order would train another network
    shape = ClassifierConfig(features=table.features, fan_in=fan_in, luts=luts, temperature=1 / 0.3)
    with progress_bar(notes) as progress:
        model = train(shape, RECIPE, table, progress=progress, name=path.stem).model
    assert isinstance(model, WeightlessClassifier)
    state = {}
    for n, (layer, wires) in enumerate(zip(model.layers, model.wiring(), strict=True)):
        assert isinstance(layer, LutLayer)
        state[f"{n}.luts"] = layer.tables.detach()
        state[f"{n}.mapping"] = wires.int()
    thresholds = torch.from_numpy(model.encoder.thresholds / 2.0**model.encoder.fraction).float()
    whole = {
        "state_dict": state,
        "thermometer": {"thresholds": thresholds},
        "num_classes": shape.classes,
        "config": {
            "n": fan_in,
            "num_classes": shape.classes,
            "layers": list(luts),
            "thermometer_bits": shape.thermometer_bits,
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(whole, part)
    part.replace(path)


def _read(path: Path) -> Network:
    """Return the network of a model with words of :data:`WORD`."""
    found = load_torch_dwn(path, classes=10)
    network = found.network()
    levels = found.thresholds.astype(np.float64) * 2 ** WORD["fraction"]
    if (levels != np.floor(levels)).any() or found.thresholds.shape[0] != 64:
        raise UsageError(f"{path} is no network of 64 features in sixteenths")
    encoder = FeatureEncoder(thresholds=levels.astype(np.int64), **WORD)
    return replace(network, encoder=encoder)
