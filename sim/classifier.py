"""Simulation of a weightless classifier's emitted core against the golden run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from ..model.weightless_classifier import WeightlessClassifier, weightless_classifier
from .network import SimulationResult
from .runner import Simulator, simulate_verilog

__all__ = ["BenchConfig", "Simulated", "pack", "simulate_classifier"]

BENCH = Path(__file__).with_name("classifier_bench.py")


@dataclass(frozen=True, kw_only=True)
class BenchConfig:
    """What the bench inside the simulator is told."""

    samples: tuple[str, ...]  # payloads, in hexadecimal
    output: str  # JSON to write
    idle: float = 0.0
    stall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """What the bench leaves: payloads, in hexadecimal, and the latency of the first."""

    results: tuple[str, ...]
    width: int  # of a payload
    latency: int


def simulate_classifier(
    network: WeightlessClassifier,
    verilog: Path,
    words: NDArray[np.integer],
    *,
    build_dir: Path,
    simulator: Simulator = "verilator",
    idle: float = 0.0,
    stall: float = 0.0,
    waves: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> SimulationResult:
    """Run words [samples, F] through ``lutformer_core`` of ``verilog``; compare counts and class.

    Parameters
    ----------
    network, verilog
        What :func:`lutformer.hdl.generate_classifier.generate_classifier` took and wrote.
    words : integers [samples, F]
    build_dir : Path
    simulator : {"icarus", "verilator"}
    idle, stall : float
        How often the bench pauses between samples, and refuses results; 0 to below 1.
    """
    progress(f"golden run of {len(words)} samples")
    truth = weightless_classifier(network, words)
    build_dir.mkdir(parents=True, exist_ok=True)
    output = build_dir.absolute() / "simulated.json"
    output.unlink(missing_ok=True)
    samples = tuple(f"{pack(row, network.encoder.bits):x}" for row in words)
    progress(f"{simulator} of {len(words)} samples")
    simulate_verilog(
        [verilog],
        top="lutformer_core",
        test_file=BENCH,
        build_dir=build_dir,
        simulator=simulator,
        config=BenchConfig(samples=samples, output=str(output), idle=idle, stall=stall),
        waves=waves,
    )
    return _compare(network.classes, truth, output)


def pack(values: Iterable[int], bits: int) -> int:
    """Return integers of ``bits`` bits as one word, the first one lowest."""
    return sum((int(v) & (1 << bits) - 1) << n * bits for n, v in enumerate(values))


def _compare(classes: int, truth: dict[str, NDArray[np.integer]], output: Path) -> SimulationResult:
    """Count the differences between what came out and what is true."""
    simulated = TypeAdapter(Simulated).validate_json(output.read_bytes())
    index_width = (classes - 1).bit_length()
    count_width = (simulated.width - index_width) // classes
    mismatches, first = 0, ""
    for n, result in enumerate(int(text, 16) for text in simulated.results):
        found = [result & (1 << index_width) - 1]
        for place in range(classes):
            found.append(result >> index_width + place * count_width & (1 << count_width) - 1)
        expected = [int(truth["class"][n]), *map(int, truth["counts"][n])]
        wrong = np.flatnonzero(np.not_equal(found, expected))
        mismatches += len(wrong)
        if len(wrong) and not first:
            name = f"counts[{n}, {wrong[0] - 1}]" if wrong[0] else f"class[{n}]"
            first = f"{name} is {found[wrong[0]]}, golden {expected[wrong[0]]}"
    return SimulationResult(
        frames=len(simulated.results),
        integers=truth["class"].size + truth["counts"].size,
        mismatches=mismatches,
        cycles_per_inference=simulated.latency,
        first_mismatch=first,
    )
