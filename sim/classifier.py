"""Simulation of a weightless classifier's emitted core against the golden run."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from ..hdl.core.top import CORE
from ..model.link.frames import Result
from ..model.network.weightless_classifier import WeightlessClassifier, weightless_classifier
from .options import SimulationOptions
from .result import SimulationResult
from .runner import simulate_verilog

__all__ = ["BenchConfig", "Simulated", "pack", "simulate_classifier"]

BENCH = Path(__file__).with_name("classifier_bench.py")


@dataclass(frozen=True, kw_only=True)
class BenchConfig:
    """Configuration of the bench inside the simulator."""

    payloads: tuple[str, ...]  # in hexadecimal
    results: int  # payloads to come
    output: str  # JSON to write
    idle: float = 0.0
    stall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Output of the bench: payloads, in hexadecimal, and the latency of the first."""

    results: tuple[str, ...]
    width: int  # of a payload
    latency: int


def simulate_classifier(
    network: WeightlessClassifier,
    verilog: Path,
    words: NDArray[np.integer],
    options: SimulationOptions,
    *,
    as_bytes: bool,
) -> SimulationResult:
    """Run words [samples, F] through ``lutformer_core`` of ``verilog``; compare counts and class.

    Parameters
    ----------
    network, verilog
        What :func:`lutformer.hdl.core.generate_classifier.generate_classifier` took and wrote.
    words : integers [samples, F]
    options : SimulationOptions
    as_bytes : bool
        Whether the core has the streams of bytes of a board top, not those of whole samples.
    """
    options.progress(f"golden run of {len(words)} rows")
    truth = weightless_classifier(network, words)
    build_dir = options.build_dir
    build_dir.mkdir(parents=True, exist_ok=True)
    output = build_dir.absolute() / "simulated.json"
    output.unlink(missing_ok=True)
    if as_bytes:
        payloads = [byte for sample in network.encoder.pack(words) for byte in sample]
        results = len(words) * _result_bytes(network)
    else:
        payloads = [pack(row, network.encoder.bits) for row in words]
        results = len(words)
    options.progress(f"{options.simulator} of {len(words)} rows")
    simulate_verilog(
        [verilog],
        top=CORE,
        test_file=BENCH,
        build_dir=build_dir,
        simulator=options.simulator,
        config=BenchConfig(
            payloads=tuple(f"{payload:x}" for payload in payloads),
            results=results,
            output=str(output),
            idle=options.idle,
            stall=options.stall,
        ),
        waves=options.waves,
    )
    simulated = TypeAdapter(Simulated).validate_json(output.read_bytes())
    read = _from_bytes if as_bytes else _from_payloads
    return _compare(truth, *read(network, simulated))


def pack(values: Iterable[int], bits: int) -> int:
    """Return integers of ``bits`` bits as one word, the first one lowest."""
    return sum((int(v) & (1 << bits) - 1) << n * bits for n, v in enumerate(values))


Rows = list[list[int]]
"""Of each sample its class and counts."""


def _from_payloads(network: WeightlessClassifier, simulated: Simulated) -> tuple[Rows, int]:
    """Return the output payloads, and the cycles of a sample."""
    index_width = (network.classes - 1).bit_length()
    count_width = (simulated.width - index_width) // network.classes
    rows = []
    for result in (int(text, 16) for text in simulated.results):
        row = [result & (1 << index_width) - 1]
        for place in range(network.classes):
            row.append(result >> index_width + place * count_width & (1 << count_width) - 1)
        rows.append(row)
    return rows, simulated.latency


def _from_bytes(network: WeightlessClassifier, simulated: Simulated) -> tuple[Rows, int]:
    """Return the output bytes, and the cycles of a sample that the core reports."""
    sent, size = bytes(int(text, 16) for text in simulated.results), _result_bytes(network)
    results = [Result.unpack(sent[n : n + size]) for n in range(0, len(sent), size)]
    cycles = {result.cycles for result in results}
    if len(cycles) != 1:
        raise AssertionError(f"The cycles of a sample must not vary, but are {sorted(cycles)}")
    return [[result.class_index, *result.logits] for result in results], cycles.pop()


def _result_bytes(network: WeightlessClassifier) -> int:
    return len(Result(class_index=0, cycles=0, logits=(0,) * network.classes).pack())


def _compare(truth: dict[str, NDArray[np.integer]], rows: Rows, cycles: int) -> SimulationResult:
    """Count the differences between the outputs and the golden run."""
    mismatches, first = 0, ""
    for n, found in enumerate(rows):
        expected = [int(truth["class"][n]), *map(int, truth["counts"][n])]
        wrong = np.flatnonzero(np.not_equal(found, expected))
        mismatches += len(wrong)
        if len(wrong) and not first:
            name = f"counts[{n}, {wrong[0] - 1}]" if wrong[0] else f"class[{n}]"
            first = f"{name} is {found[wrong[0]]}, golden {expected[wrong[0]]}"
    return SimulationResult(
        frames=len(rows),
        integers=truth["class"].size + truth["counts"].size,
        mismatches=mismatches,
        cycles_per_inference=cycles,
        first_mismatch=first,
    )
