"""Every kind of attention on the same task: ``python -m benchmarks.attention [--full] [--json]``.

Trains networks that differ in nothing but their attention (``benchmarks/attention_variants.py``),
exports them, compares trained model and golden run on all held-out images, and the emitted Verilog
and golden run on some. What is trained lies in the output directory and is not trained again.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from rich.progress import Progress

from lutformer.console import table
from lutformer.equality import compare, golden_integers
from lutformer.hdl.accelerator import Accelerator
from lutformer.hdl.bound import bound
from lutformer.hdl.plan import Plan
from lutformer.hdl.verilog import emit
from lutformer.model.data import Dataset, load_data
from lutformer.model.linear_attention import LinearAttention, mix_linear
from lutformer.model.network import Network
from lutformer.model.nn.export import export
from lutformer.model.nn.train import progress_bar, train
from lutformer.model.nn.vit import VisionTransformer
from lutformer.model.published_energy import FloatCost, ecoformer_energy, msa_energy
from lutformer.sim.network import simulate_network

from .attention_variants import TASKS, VARIANTS, Task, configure

__all__ = ["measure"]

QUICK_EPOCHS = 8
QUICK_VARIANTS: tuple[str, ...] = (
    "float softmax",
    "int8 softmax",
    "Hamming T=16 table",
    "Hamming T=16 power",
    "EcoFormer b=16 kernel hash",
    "EcoFormer b=16 linear hash",
)
PLAN = Plan(inputs=8, rows=8, columns=16, hash_lanes=8)
"""Lanes of all simulated networks; columns at most those of a head."""


def measure(
    tasks: dict[str, Task], variants: Sequence[str], frames: int, out: Path, progress: Progress
) -> dict[str, Any]:
    """Return accuracies, and what was compared with what.

    Parameters
    ----------
    tasks : dict of str to Task
    variants : sequence of str
    frames : int
        Digits that are simulated, for each variant with an integer form.
    out : Path
        Where checkpoints are kept.
    """
    result: dict[str, Any] = {"accuracy": {}, "golden": {}, "rtl": {}}
    for name, task in tasks.items():
        data = load_data(task.data)
        rows = result["accuracy"][name] = {}
        compared = result["golden"][name] = {}
        for variant in variants:
            models = list(_models(task, variant, data, out / name, progress))
            rows[variant] = _accuracy(task, [accuracy for _, accuracy in models])
            if configure(task, variant).exact:
                compared[variant] = [_golden(model, data) for model, _ in models]
            if frames and configure(task, variant).exact and name == "digits":
                folder = out / name / _file(variant) / "simulation"
                result["rtl"][variant] = _rtl(models[0][0], data, frames, folder)
    return result | {"energy": _published()}


def _models(
    task: Task, variant: str, data: Dataset, out: Path, progress: Progress
) -> Iterator[tuple[VisionTransformer, float]]:
    """Train a variant with each seed; yield models and held-out accuracies."""
    for seed in task.seeds:
        recipe = replace(task.train, seed=seed)
        folder = out / _file(variant) / f"seed{seed}"
        label = f"{task.data}: {variant}, seed {seed}"
        done = train(configure(task, variant), recipe, data, folder, progress, name=label)
        assert isinstance(done.model, VisionTransformer)
        yield done.model, done.test_accuracy


def _file(variant: str) -> str:
    return variant.replace(" ", "-")


def _accuracy(task: Task, values: list[float]) -> dict[str, Any]:
    percent = [round(100 * value, 2) for value in values]
    spread = round(max(percent) - min(percent), 2)
    return {"mean": round(mean(percent), 2), "spread": spread, "seeds": percent} | {
        "epochs": task.train.epochs
    }


def _golden(model: VisionTransformer, data: Dataset) -> dict[str, Any]:
    """Compare every integer of every held-out image; and equal values with what comes out."""
    network = export(model)

    def integers(images: np.ndarray) -> dict[str, np.ndarray]:
        return {k: v.numpy() for k, v in model.integers(torch.from_numpy(images)).items()}

    equality = compare(integers, partial(golden_integers, network), data.test_images)
    found = {"images": equality.images, "integers": equality.integers}
    return found | {"mismatches": equality.mismatches, **_equal_values(network, data)}


def _equal_values(network: Network, data: Dataset) -> dict[str, int]:
    """Count, for linear attention, equal values that do not come out as they went in (Eq. 32)."""
    layer = network.blocks[0].attention
    if not isinstance(layer, LinearAttention) or layer.form != "signed":
        return {}
    rng = np.random.default_rng(0)
    rows = (64, network.tokens, layer.heads * layer.code_bits)
    code = rng.integers(0, 2, rows)
    value = np.broadcast_to(
        rng.integers(-128, 128, (64, 1, layer.value.rows)), (64, network.tokens, layer.value.rows)
    )
    mixed = mix_linear(layer, code, code, value)
    return {"equal_values": mixed.size, "changed": int(np.count_nonzero(mixed != value))}


def _rtl(model: VisionTransformer, data: Dataset, frames: int, folder: Path) -> dict[str, Any]:
    """Simulate the emitted Verilog and compare it with the golden run."""
    network = export(model)
    folder.mkdir(parents=True, exist_ok=True)
    verilog = folder / "core.v"
    verilog.write_text(emit(Accelerator(network, PLAN), top="lutformer_core"))
    done = simulate_network(network, verilog, data.test_images[:frames], build_dir=folder)
    least = bound(network, PLAN)["bound"]
    return {
        "frames": done.frames,
        "integers": done.integers,
        "mismatches": done.mismatches,
        "cycles": done.cycles_per_inference,
        "bound": least,
        "ratio": round(done.cycles_per_inference / least, 2),
    }


def _published() -> dict[str, float]:
    """Return the energy of one layer of PVTv2-B0's first stage, as EcoFormer's authors count it."""
    shape = {"tokens": 56 * 56, "dim": 32, "heads": 1}
    costs: dict[str, FloatCost] = {
        "softmax": msa_energy(**shape),
        "ecoformer": ecoformer_energy(**shape),
    }
    return {f"{name}_pj": cost.pj for name, cost in costs.items()}


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
        head = ["attention", "accuracy %", "spread", "golden != torch"]
        seeds = len(next(iter(rows.values()))["seeds"])
        table(head, cells, title=f"{task}, seeds: {seeds}")
    head = ["attention", "RTL != golden", "images", "cycles", "cycles / bound"]
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


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attention", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all tasks, variants, seeds and epochs")
    parser.add_argument("--task", choices=TASKS, help="one task of --full only")
    parser.add_argument("--frames", type=int, help="images to simulate (4, or 100 with --full)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", type=Path, default=Path("build/attention"), help="output directory")
    arguments = parser.parse_args()
    tasks, variants, out = TASKS, list(VARIANTS), arguments.o
    if arguments.task:
        tasks = {arguments.task: TASKS[arguments.task]}
    if not arguments.full:
        task = TASKS["digits"]
        recipe = replace(task.train, epochs=QUICK_EPOCHS)
        tasks = {"digits": replace(task, train=recipe, seeds=(0,))}
        variants, out = list(QUICK_VARIANTS), out / "quick"
    frames = (100 if arguments.full else 4) if arguments.frames is None else arguments.frames
    torch.set_num_threads(1)  # sums in another order would train another network
    with progress_bar() as progress:
        result = measure(tasks, variants, frames, out, progress)
    print(json.dumps(result, indent=2)) if arguments.json else _print(result)


if __name__ == "__main__":
    main()
