"""The networks that `python -m benchmarks.attention` compares: alike in all but attention."""

from dataclasses import dataclass
from typing import Any

from lutformer.model.config import TrainConfig, VitConfig

__all__ = ["TASKS", "VARIANTS", "Task", "configure"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A dataset, the network on it and how long it trains; one recipe for all variants."""

    data: str
    model: VitConfig
    train: TrainConfig
    seeds: tuple[int, ...]


COMMON: dict[str, Any] = {"mlp": "gelu", "weights": "int8"}
TASKS = {
    "digits": Task(
        data="digits",
        model=VitConfig(height=8, width=8, dim=32, depth=2, heads=2, **COMMON),
        train=TrainConfig(epochs=60, lr=4e-3, ramp=0.4),
        seeds=(0, 1, 2),
    ),
    "fashion-mnist": Task(
        data="fashion-mnist",
        model=VitConfig(
            height=28,
            width=28,
            patch_height=4,
            patch_width=4,
            dim=64,
            depth=2,
            heads=4,
            **COMMON,
        ),
        train=TrainConfig(epochs=5, batch=128, lr=3e-3, ramp=0.4),
        seeds=(0,),
    ),
}
VARIANTS: dict[str, dict[str, Any]] = {
    "float softmax": {"attention": "softmax", "weights": "float"},
    "int8 softmax": {"attention": "softmax"},
    "int8 Shiftmax": {"attention": "softmax", "exponential": "shiftmax"},
    **{
        f"Hamming T={bits} {weighting}": {
            "attention": "hamming",
            "code_bits": bits,
            "weighting": weighting,
        }
        for bits in (8, 16, 32)
        for weighting in ("table", "power")
    },
    "EcoFormer b=16 kernel hash": {"attention": "linear", "code_bits": 16, "hash": "kernel"},
    "EcoFormer b=16 linear hash": {"attention": "linear", "code_bits": 16, "hash": "linear"},
}


def configure(task: Task, variant: str) -> VitConfig:
    """Return the network of ``variant`` for ``task``."""
    return VitConfig.from_dict(task.model.to_dict() | VARIANTS[variant])
