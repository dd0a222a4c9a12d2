"""Training state as one safetensors file: weights, optimiser, history and their origin."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import singledispatch
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from lutformer.errors import LutformerError

from ...config.classifier import ClassifierConfig, ClassifierRecipe
from ...config.gpt import GptConfig, GptRecipe
from ...config.transformer import Recipe, TrainConfig, VitConfig
from ...data.images import Dataset
from ...data.table import Table
from ...data.text import Text
from ...network.stored_network import StoredNetwork
from ...storage.files import write_whole
from ..network.gpt import Gpt
from ..network.vit import VisionTransformer
from ..network.weightless_classifier import WeightlessClassifier
from .export import export_any

__all__ = [
    "CHECKPOINT_SCHEMA",
    "Checkpoint",
    "CheckpointError",
    "FamilyConfig",
    "describe",
    "export_checkpoint",
    "fingerprint",
    "load_checkpoint",
    "save_checkpoint",
]

CHECKPOINT_SCHEMA = 2
"""Version of the file format; a newer file is refused, an older one is read."""

FamilyConfig = VitConfig | ClassifierConfig | GptConfig

CONFIGS: dict[str, type[FamilyConfig]] = {
    "vit": VitConfig,
    "classifier": ClassifierConfig,
    "gpt": GptConfig,
}
"""Shapes of networks by the name of the family."""

RECIPES: dict[type[FamilyConfig], type[Recipe]] = {
    VitConfig: TrainConfig,
    ClassifierConfig: ClassifierRecipe,
    GptConfig: GptRecipe,
}

ORIGIN = ("name", "fingerprint", "label")
"""What a network remembers of its dataset, besides what it needs itself."""

OLD_WIRING = re.compile(r"(\.layers\.\d+\.mapping)$")
"""Name of the wiring of a LUT layer in files of schema 1."""


class CheckpointError(LutformerError):
    """A checkpoint that cannot be used."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """One moment of a training run.

    Attributes
    ----------
    config : FamilyConfig
    train : Recipe
    data : dict
        Facts on the dataset, of :func:`describe`.
    epoch : int
        Epochs done; equal to ``train.epochs`` when training is complete.
    model : dict of str to Tensor
    optimizer : dict of str to Tensor
        By ``parameter.state``.
    history : float64 [epochs done, columns of the loss curve]
    teacher : str or None
        Fingerprint of the model whose attention was distilled; None without one.
    """

    config: FamilyConfig
    train: Recipe
    data: dict[str, Any]
    epoch: int
    model: dict[str, Tensor] = field(repr=False)
    optimizer: dict[str, Tensor] = field(repr=False)
    history: Tensor = field(repr=False)
    teacher: str | None = None

    @property
    def complete(self) -> bool:
        """Whether training is complete."""
        return self.epoch == self.train.epochs

    def build(self) -> nn.Module:
        """Return the model with these weights, in eval mode."""
        model = new_model(self.config, self.model)
        model.load_state_dict(self.model)
        return model.eval()


@singledispatch
def new_model(config: FamilyConfig, state: dict[str, Tensor]) -> nn.Module:
    """Return a model of that shape, of whatever family, that can load ``state``."""
    raise TypeError(f"{type(config).__name__} is no shape of a network")


@new_model.register
def _(config: VitConfig, state: dict[str, Tensor]) -> VisionTransformer:
    return VisionTransformer(config)


@new_model.register
def _(config: ClassifierConfig, state: dict[str, Tensor]) -> WeightlessClassifier:
    return WeightlessClassifier(config, useful=state["useful"])


@new_model.register
def _(config: GptConfig, state: dict[str, Tensor]) -> Gpt:
    return Gpt(config)


@singledispatch
def describe(data: Dataset | Table | Text) -> dict[str, Any]:
    """Return the description of a dataset that a checkpoint stores."""
    raise TypeError(f"{type(data).__name__} is no dataset")


@describe.register
def _(data: Table) -> dict[str, Any]:
    return {
        "name": data.name,
        "fingerprint": data.fingerprint,
        "label": data.label,
        "class_names": list(data.class_names),
    }


@describe.register
def _(data: Text) -> dict[str, Any]:
    return {
        "name": data.name,
        "fingerprint": data.fingerprint,
        "characters": data.vocabulary.characters,
    }


@describe.register
def _(data: Dataset) -> dict[str, Any]:
    return {
        "name": data.name,
        "fingerprint": data.fingerprint,
        "class_names": list(data.class_names),
        "pixel_max": data.pixel_max,
    }


def fingerprint(model: VisionTransformer) -> str:
    """Return the SHA-256 of shape and weights, in hexadecimal."""
    weights = {name: x.detach().cpu() for name, x in model.state_dict().items()}
    return _hash(model.config.to_dict(), weights)


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write ``checkpoint`` to ``path`` whole or not at all."""
    tensors = {f"model.{name}": x for name, x in checkpoint.model.items()}
    tensors |= {f"optimizer.{name}": x for name, x in checkpoint.optimizer.items()}
    tensors["history"] = checkpoint.history
    tensors = {name: x.detach().cpu().contiguous() for name, x in tensors.items()}
    header = {
        "schema": CHECKPOINT_SCHEMA,
        "family": next(name for name, kind in CONFIGS.items() if kind is type(checkpoint.config)),
        "config": checkpoint.config.to_dict(),
        "train": checkpoint.train.to_dict(),
        "data": checkpoint.data,
        "epoch": checkpoint.epoch,
    }
    if checkpoint.teacher is not None:
        header["teacher"] = checkpoint.teacher
    header["hash"] = _hash(header, tensors)
    metadata = {"lutformer-checkpoint": json.dumps(header, sort_keys=True)}
    write_whole(path, save(tensors, metadata=metadata))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, altered, foreign, or of a newer schema.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            names = file.keys()
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a readable checkpoint ({error}); train again with `lutformer train`"
        ) from error
    if "lutformer-checkpoint" not in metadata:
        raise CheckpointError(
            f"{path} is not a lutformer checkpoint (no header); make one with `lutformer train`"
        )
    try:
        header = json.loads(metadata["lutformer-checkpoint"])
        schema = header["schema"]
        if not isinstance(schema, int) or schema > CHECKPOINT_SCHEMA:
            raise CheckpointError(
                f"{path} has schema {schema!r}, this version reads up to {CHECKPOINT_SCHEMA}; "
                "upgrade lutformer"
            )
        if header.pop("hash") != _hash(header, tensors):
            raise CheckpointError(f"{path} was altered (its hash does not match); train again")
        checkpoint = _parse(header, tensors)
        checkpoint.build()
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} holds no valid checkpoint: {error}; train again") from error
    return checkpoint


def _parse(header: dict[str, Any], tensors: dict[str, Tensor]) -> Checkpoint:
    def under(prefix: str) -> dict[str, Tensor]:
        return {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}

    if header["schema"] < 2:
        tensors = {OLD_WIRING.sub(r"\1.wires", name): x for name, x in tensors.items()}
    kind = CONFIGS[header.get("family", "vit")]
    return Checkpoint(
        config=kind.from_dict(header["config"]),
        train=RECIPES[kind].from_dict(header["train"]),
        data=header["data"],
        epoch=header["epoch"],
        model=under("model."),
        optimizer=under("optimizer."),
        history=tensors["history"],
        teacher=header.get("teacher"),
    )


def _hash(header: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        x = tensors[name]
        digest.update(f"{name}{tuple(x.shape)}{x.dtype}".encode())
        digest.update(x.reshape(-1).view(torch.uint8).numpy().tobytes() if x.numel() else b"")
    return digest.hexdigest()


def export_checkpoint(path: Path) -> StoredNetwork:
    """Return the integer network of the checkpoint at ``path``, of whatever family.

    Raises
    ------
    CheckpointError
        If the file cannot be used.
    UsageError
        If the model has no integer form.
    """
    checkpoint = load_checkpoint(path)
    origin = {
        "config": checkpoint.config.to_dict(),
        "train": checkpoint.train.to_dict(),
        "data": {name: x for name, x in checkpoint.data.items() if name in ORIGIN},
        "epoch": checkpoint.epoch,
    }
    facts = {name: x for name, x in checkpoint.data.items() if name not in ORIGIN}
    if "class_names" in facts:
        facts["class_names"] = tuple(facts["class_names"])
    return export_any(checkpoint.build(), origin=origin, **facts)
