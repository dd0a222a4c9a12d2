"""Networks that differ in one thing, trained alike, compared exactly: what benchmarks share."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from rich.progress import Progress

from benchmarks.bars import Bar, add_full, json_text
from lutformer.console import notes, table
from lutformer.families import family_of
from lutformer.families.equality import compare
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.plan.plan import Plan
from lutformer.hdl.planner.bound import bound
from lutformer.hdl.transformer.accelerator import Accelerator
from lutformer.model.config.transformer import TrainConfig, VitConfig
from lutformer.model.data.images import Dataset, load_data
from lutformer.model.nn.network.vit import VisionTransformer
from lutformer.model.nn.training.export import export
from lutformer.model.nn.training.train import progress_bar, train
from lutformer.sim.network import simulate_network
from lutformer.sim.options import SimulationOptions

__all__ = ["TASKS", "Task", "Variants", "compared", "equalities", "run"]

QUICK_EPOCHS = 8
PLAN = Plan(in_lanes=8, out_lanes=8, columns=16, hash_lanes=8)
"""Lanes of all simulated networks; columns at most those of a head."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A dataset, the network on it and how long it trains; one recipe for all variants."""

    data: str
    model: VitConfig
    train: TrainConfig
    seeds: tuple[int, ...]

    def configure(self, changes: dict[str, Any]) -> VitConfig:
        """Return the network with ``changes``; ``luts_per_channel`` are LUTs in multiples of D."""
        changes = dict(changes)
        if "luts_per_channel" in changes:
            changes["luts"] = [n * self.model.dim for n in changes.pop("luts_per_channel")]
        return VitConfig.from_dict(self.model.to_dict() | changes)


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
"""The network that all variants start from."""


Variants = dict[str, dict[str, Any]]
"""What of a task's network differs, by the name of the row."""


def run(
    module: str,
    description: str,
    variants: Variants,
    quick: Sequence[str],
    extra: Callable[[VisionTransformer], dict[str, Any]] = lambda model: {},
    facts: Mapping[str, Any] | None = None,
    *,
    bars: Callable[[dict[str, Any]], list[Bar]] = lambda found: [],
    arguments: Sequence[str] | None = None,
) -> None:
    """Be the command ``python -m benchmarks.MODULE``: parse its line, measure, print.

    Parameters
    ----------
    quick : sequence of str
        Variants that are trained, on digits and for few epochs, without ``--full``.
    extra : callable
        What else is counted of a model that has integers.
    facts : mapping, optional
        What else belongs to the result.
    bars : callable
        Limits of the result, beside those that :func:`equalities` gives.
    arguments : sequence of str, optional
        In place of the command line.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=description)
    add_full(parser, "all tasks, variants, seeds and epochs: hours")
    parser.add_argument("--task", choices=TASKS, help="one task of --full only")
    parser.add_argument(
        "--only", nargs="+", choices=variants, metavar="ROW", help="these rows only"
    )
    parser.add_argument("--frames", type=int, help="images to simulate (4, or 100 with --full)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", type=Path, default=Path("build") / module, help="output directory")
    options = parser.parse_args(arguments)
    tasks, out = TASKS, options.o
    if options.task:
        tasks = {options.task: TASKS[options.task]}
    if not options.full:
        task = TASKS["digits"]
        recipe = replace(task.train, epochs=QUICK_EPOCHS)
        tasks = {"digits": replace(task, train=recipe, seeds=(0,))}
        out /= "quick"
    names = options.only or (variants if options.full else quick)
    variants = {name: variants[name] for name in names}
    frames = (100 if options.full else 4) if options.frames is None else options.frames
    with progress_bar(notes) as progress:
        result = compared(tasks, variants, frames, out, progress, extra) | dict(facts or {})
    if options.json:
        print(json_text([*equalities(result), *bars(result)], result))
        return
    _print(result)


def equalities(result: Mapping[str, Any]) -> list[Bar]:
    """Return the bars that all these benchmarks have: no integer differs."""
    limits = [
        Bar(
            name=f"{variant}, {task}: golden != torch",
            value=sum(run["mismatches"] for run in runs),
            at_most=0,
        )
        for task, rows in result["golden"].items()
        for variant, runs in rows.items()
    ]
    return limits + [
        Bar(name=f"{variant}: RTL != golden", value=row["mismatches"], at_most=0)
        for variant, row in result["rtl"].items()
    ]


def compared(
    tasks: dict[str, Task],
    variants: Variants,
    frames: int,
    out: Path,
    progress: Progress,
    extra: Callable[[VisionTransformer], dict[str, Any]],
) -> dict[str, Any]:
    """Return accuracies, and what was compared with what.

    ``frames`` digits are simulated for each variant with an integer form; checkpoints lie in
    ``out``.
    """
    result: dict[str, Any] = {"accuracy": {}, "golden": {}, "rtl": {}}
    for name, task in tasks.items():
        data = load_data(task.data)
        rows = result["accuracy"][name] = {}
        exact = result["golden"][name] = {}
        for variant, changes in variants.items():
            model, folder = task.configure(changes), out / name / variant.replace(" ", "-")
            models = list(_trained(task, model, variant, data, folder, progress))
            rows[variant] = _accuracy(task, [hits for _, hits in models])
            if not model.exact:
                continue
            exact[variant] = [_golden(m, data) | extra(m) for m, _ in models]
            if frames and name == "digits":
                rtl = _rtl(models[0][0], data, frames, folder / "simulation")
                result["rtl"][variant] = rtl
    return result


def _trained(
    task: Task, model: VitConfig, name: str, data: Dataset, out: Path, progress: Progress
) -> Iterator[tuple[VisionTransformer, float]]:
    """Train ``model`` with each seed, on one thread; yield models and held-out accuracies.

    What is trained lies in ``out`` and is not trained again.
    """
    torch.set_num_threads(1)  # sums in another order would train another network
    for seed in task.seeds:
        label = f"{task.data}: {name}, seed {seed}"
        recipe = replace(task.train, seed=seed)
        done = train(model, recipe, data, out / f"seed{seed}", progress, name=label)
        assert isinstance(done.model, VisionTransformer)
        yield done.model, done.test_accuracy


def _accuracy(task: Task, values: list[float]) -> dict[str, Any]:
    """Return mean and spread (largest less smallest), in percent."""
    percent = [round(100 * value, 2) for value in values]
    spread = round(max(percent) - min(percent), 2)
    found = {"mean": round(mean(percent), 2), "spread": spread, "seeds": percent}
    return found | {"epochs": task.train.epochs}


def _golden(model: VisionTransformer, data: Dataset) -> dict[str, int]:
    """Compare every integer of every held-out image."""

    def integers(images: np.ndarray) -> dict[str, np.ndarray]:
        return {k: v.numpy() for k, v in model.integers(torch.from_numpy(images)).items()}

    network = export(model)
    equality = compare(integers, partial(family_of(network).integers, network), data.test_images)
    found = {"images": equality.inputs, "integers": equality.integers}
    return found | {"mismatches": equality.mismatches}


def _rtl(model: VisionTransformer, data: Dataset, frames: int, folder: Path) -> dict[str, Any]:
    """Simulate the emitted Verilog and compare it with the golden run."""
    network = export(model)
    folder.mkdir(parents=True, exist_ok=True)
    verilog = folder / "core.v"
    verilog.write_text(emit(Accelerator(network, PLAN), top="lutformer_core"))
    done = simulate_network(
        network, verilog, data.test_images[:frames], SimulationOptions(build_dir=folder)
    )
    least = bound(network, PLAN)["bound"]
    return {
        "frames": done.frames,
        "integers": done.integers,
        "mismatches": done.mismatches,
        "cycles": done.cycles_per_inference,
        "bound": least,
        "ratio": round(done.cycles_per_inference / least, 2),
    }


def _print(result: dict[str, Any]) -> None:
    for task, rows in result["accuracy"].items():
        compared = result["golden"][task]
        cells = []
        for variant, row in rows.items():
            runs = compared.get(variant, [])
            exact = f"{sum(r['mismatches'] for r in runs)} of {sum(r['integers'] for r in runs):,}"
            cells.append(
                [variant, f"{row['mean']:.2f}", f"{row['spread']:.2f}", exact if runs else "-"]
            )
        head = ["network", "accuracy %", "spread", "golden != torch"]
        seeds = len(next(iter(rows.values()))["seeds"])
        table(head, cells, title=f"{task}, seeds: {seeds}")
    head = ["network", "RTL != golden", "images", "cycles", "cycles / bound"]
    cells = [
        [
            name,
            f"{r['mismatches']} of {r['integers']:,}",
            str(r["frames"]),
            f"{r['cycles']:,}",
            f"{r['ratio']:.2f}",
        ]
        for name, r in result["rtl"].items()
    ]
    table(head, cells, title="whole networks in simulation")
