"""Distillation of attention: a loss that pulls a student's maps towards its float twin's.

After HAD (arXiv 2502.01770), which adds to this term another for the logits and trains in stages;
here it is one term from the first step to the last. What it brings is in docs/results.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from lutformer.errors import UsageError

from ...config.transformer import TrainConfig, VitConfig
from ..attention import Attention
from ..network.vit import VisionTransformer

__all__ = ["attention_maps", "check_teacher", "divergence", "teacher_maps"]

LEAST_SHARE = 1e-6
"""Smaller shares of a student count as this: a weight may be rounded to 0."""
SAME = (
    "height",
    "width",
    "channels",
    "patch_height",
    "patch_width",
    "pooling",
    "causal",
    "depth",
    "heads",
)
"""What teacher and student must have in common for their maps to mean the same."""


@contextmanager
def attention_maps(model: VisionTransformer) -> Iterator[list[Tensor]]:
    """Yield a list that gets the map [images, heads, n, n] of each layer as the model runs.

    Integer runs, those of an exact model in eval mode, leave none.
    """
    maps: list[Tensor] = []
    layers = [module for module in model.modules() if isinstance(module, Attention)]
    for layer in layers:
        layer.watch = maps.append
    try:
        yield maps
    finally:
        for layer in layers:
            layer.watch = None


@torch.no_grad()
def teacher_maps(teacher: VisionTransformer, images: Tensor) -> list[Tensor]:
    """Return the attention maps of ``teacher`` on ``images``, by layer."""
    with attention_maps(teacher) as maps:
        teacher(images)
    return maps


def divergence(teacher: list[Tensor], student: list[Tensor]) -> Tensor:
    """Return KL(teacher || student) of attention maps, the mean over layers, heads and queries."""
    target, share = torch.stack(teacher), torch.stack(student).clamp_min(LEAST_SHARE)
    return (torch.xlogy(target, target) - target * share.log()).sum(-1).mean()


def check_teacher(student: VitConfig, recipe: TrainConfig, teacher: VitConfig | None) -> None:
    """Refuse a teacher that cannot be distilled.

    Raises
    ------
    UsageError
        If ``recipe`` and ``teacher`` do not go together, or ``teacher`` and ``student``.
    """
    if teacher is None:
        if recipe.distill:
            raise UsageError(
                f"distill={recipe.distill:g} needs a teacher: give --teacher CHECKPOINT of a float "
                "twin (`lutformer train PRESET --twin` makes one)"
            )
        return
    if not recipe.distill:
        raise UsageError("A teacher is of no use with distill=0: add --set distill=1.0")
    if teacher.attention != "softmax" or teacher.weights != "float":
        raise UsageError(
            f"The teacher must have float softmax attention, not weights={teacher.weights} and "
            f"attention={teacher.attention}: give the checkpoint of a float twin"
        )
    for name in SAME:
        theirs, ours = getattr(teacher, name), getattr(student, name)
        if theirs != ours:
            raise UsageError(
                f"The teacher has {name}={theirs}, the network {name}={ours}: give a teacher of "
                "the network's depth, heads and tokens"
            )
    if student.attention == "linear" and student.form == "own":
        raise UsageError(
            "Attention of form=own cannot be distilled (its shares may be negative): "
            "use another form, or distill=0"
        )
