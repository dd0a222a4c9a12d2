"""Training run of a vision transformer."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ...config.transformer import TrainConfig, VitConfig
from ...data.images import Dataset
from ..network.vit import VisionTransformer
from .batches import batches
from .checkpoint import describe, fingerprint
from .distillation import attention_maps, check_teacher, divergence, teacher_maps
from .evaluate import accuracy
from .transformer_run import TransformerRun

__all__ = ["VitRun"]


class VitRun(TransformerRun[VisionTransformer, TrainConfig]):
    """State of a run.

    Parameters
    ----------
    config : VitConfig
    recipe : TrainConfig
    data : Dataset
    device : str
        Of torch.
    teacher : VisionTransformer or None
        Whose attention is distilled, moved to ``device``; no part of the state.
    """

    def __init__(
        self,
        config: VitConfig,
        recipe: TrainConfig,
        data: Dataset,
        device: str,
        teacher: VisionTransformer | None = None,
    ) -> None:
        _check(config, data)
        check_teacher(config, recipe, teacher.config if teacher else None)
        self.teacher = teacher.to(device).eval() if teacher else None
        self.teacher_print = fingerprint(teacher) if teacher else None
        self.data, self.device = data, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            model = VisionTransformer(config).to(device).train()
        super().__init__(model, recipe, describe(data), len(data.train_labels), recipe.clip)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        return batches(self.data, self.recipe, self.epoch, self.device)

    def test_accuracy(self) -> float:
        return accuracy(self.model, self.data.test_images, self.data.test_labels)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | float]:
        if self.teacher is None:
            return super().forward(inputs)
        with attention_maps(self.model) as maps:
            logits = self.model(inputs)
        pull = divergence(teacher_maps(self.teacher, inputs), maps)
        return logits, self.recipe.distill * pull


def _check(config: VitConfig, data: Dataset) -> None:
    shape = (config.height, config.width, config.channels)
    if data.shape != shape:
        raise ValueError(f"Images of {data.name} are {data.shape}, the network takes {shape}")
    if len(data.class_names) != config.classes:
        raise ValueError(
            f"Dataset {data.name} has {len(data.class_names)} classes, the network {config.classes}"
        )
