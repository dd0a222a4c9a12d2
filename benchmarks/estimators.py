"""Estimators of the sign's gradient, and distillation of attention maps.

``python -m benchmarks.estimators [--full] [--json]``.

Hamming attention of 16 bits by table on digits, as ``benchmarks/attention.py`` has it, in
all else alike. Accuracies are of validation images (``validation_split``), so that a choice may
rest on them; the held-out quarter is not looked at. Quick by default: few epochs,
one seed.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean, stdev

import torch

from benchmarks.attention import VARIANTS
from benchmarks.bars import add_full, json_text
from benchmarks.networks import TASKS
from lutformer.console import table
from lutformer.model.config.transformer import TrainConfig
from lutformer.model.data.images import Dataset, load_data, validation_split
from lutformer.model.nn.network.vit import VisionTransformer
from lutformer.model.nn.sign import ESTIMATORS
from lutformer.model.nn.training.distillation import attention_maps, divergence, teacher_maps
from lutformer.model.nn.training.train import train

__all__ = ["WEIGHTS", "Row", "measure"]

TASK = TASKS["digits"]
QUICK_EPOCHS = 2
STUDENT, TEACHER = "Hamming T=16 table", "float softmax"
WEIGHTS = (0.1, 1.0, 10.0)
"""Of distillation, tried with the first estimator."""


@dataclass(frozen=True)
class Row:
    """One way to train, over all seeds."""

    way: str
    mean: float
    """Accuracy on the validation images."""
    spread: float
    """Its standard deviation from seed to seed."""
    each: list[float]
    divergence: float | None
    """Mean KL(teacher || student) of the maps at the end; None if there is no teacher."""


def measure(recipe: TrainConfig, seeds: int, data: Dataset) -> Iterator[Row]:
    """Train every row with every seed; the teacher of a seed has that seed too."""
    teachers = [_train(TEACHER, replace(recipe, seed=n), data) for n in range(seeds)]
    models = [model for model, _ in teachers]
    yield _row(f"teacher: {TEACHER}", [accuracy for _, accuracy in teachers], [])
    for estimator in ESTIMATORS:
        yield _over_seeds(estimator, estimator, recipe, models, data)
    first = next(iter(ESTIMATORS))
    for weight in WEIGHTS:
        distilled = replace(recipe, distill=weight)
        yield _over_seeds(f"{first}, distill={weight:g}", first, distilled, models, data)


def _over_seeds(
    way: str, estimator: str, recipe: TrainConfig, teachers: list[VisionTransformer], data: Dataset
) -> Row:
    scores, gaps = [], []
    for seed, teacher in enumerate(teachers):
        own = teacher if recipe.distill else None
        model, score = _train(STUDENT, replace(recipe, seed=seed), data, estimator, own)
        scores.append(score)
        gaps.append(_gap(teacher, model, data))
    return _row(way, scores, gaps)


def _train(
    variant: str,
    recipe: TrainConfig,
    data: Dataset,
    estimator: str = "hardtanh",
    teacher: VisionTransformer | None = None,
) -> tuple[VisionTransformer, float]:
    config = replace(TASK.configure(VARIANTS[variant]), estimator=estimator)
    result = train(config, recipe, data, teacher=teacher)
    assert isinstance(result.model, VisionTransformer)
    return result.model, result.test_accuracy


@torch.no_grad()
def _gap(teacher: VisionTransformer, student: VisionTransformer, data: Dataset) -> float:
    """Return the divergence of the maps on the validation images."""
    images = torch.from_numpy(data.test_images)
    with attention_maps(student.train()) as maps:
        student(images)
    return float(divergence(teacher_maps(teacher, images), maps))


def _row(way: str, scores: list[float], gaps: list[float]) -> Row:
    spread = stdev(scores) if len(scores) > 1 else 0.0
    return Row(way, fmean(scores), spread, scores, fmean(gaps) if gaps else None)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Estimators of the sign's gradient, and distillation of attention from a "
        "float twin, by accuracy on validation images of digits."
    )
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, help="so many, from 0")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    add_full(parser, "epochs and seeds of benchmarks/networks.py: two hours")
    options = parser.parse_args(arguments)
    epochs = options.epochs or (TASK.train.epochs if options.full else QUICK_EPOCHS)
    seeds = options.seeds or (len(TASK.seeds) if options.full else 1)
    torch.set_num_threads(1)  # the quickest for networks of this size
    data = validation_split(load_data(TASK.data))
    recipe = replace(TASK.train, epochs=epochs, warmup=min(TASK.train.warmup, epochs - 1))
    rows = list(measure(recipe, seeds, data))
    if options.json:
        print(json_text([], [asdict(row) for row in rows]))
        return
    head = ("way", "accuracy", "spread", "of each seed", "divergence from the teacher")
    table(head, [_cells(row) for row in rows])


def _cells(row: Row) -> tuple[str, ...]:
    each = ", ".join(f"{score:.2%}" for score in row.each)
    gap = "" if row.divergence is None else f"{row.divergence:.3f}"
    return row.way, f"{row.mean:.2%}", f"{row.spread:.2%}", each, gap


if __name__ == "__main__":
    main()
