"""Whole-network simulation: the emitted core against the golden run, integer by integer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..hdl.verilog import emit
from ..model.golden import golden
from ..model.network import Network
from ..model.weightless_mlp import WeightlessMlp
from .network_recorder import NetworkRecorder
from .runner import Simulator, simulate_verilog

__all__ = ["BenchConfig", "SimulationResult", "simulate_network"]

BENCH = Path(__file__).with_name("network_bench.py")


@dataclass(frozen=True, kw_only=True)
class BenchConfig:
    """What the bench inside the simulator is told."""

    images: str  # .npy, uint8 [frames, bytes]
    output: str  # .npz to write
    linear_values: int  # residual values of each frame, by writer
    mlp_values: int
    result_bytes: int
    idle: float = 0.0
    stall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SimulationResult:
    """Outcome of a simulation.

    Attributes
    ----------
    frames, integers, mismatches : int
        Images run, or tokens chosen; integers compared with the golden run, and how many of these
        differ.
    cycles_per_inference : int
        From the last pixel to the last logit; equal for all frames. Of a decoder the slowest of its
        tokens, each from the last logit of the one before to its own; 0 if there is one alone.
    first_mismatch : str
        Where the first difference is; empty if there is none.
    cycles_by_place : dict of int to int
        Of a decoder: the cycles of a token by its place in the context.
    load_cycles : int
        Of a decoder whose weights are loaded first: until they were, its link never waiting.
    """

    frames: int
    integers: int
    mismatches: int
    cycles_per_inference: int
    first_mismatch: str = ""
    cycles_by_place: dict[int, int] = field(default_factory=dict)
    load_cycles: int = 0


def simulate_network(
    network: Network,
    verilog: Path,
    images: NDArray[np.uint8],
    *,
    build_dir: Path,
    simulator: Simulator = "verilator",
    idle: float = 0.0,
    stall: float = 0.0,
    waves: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> SimulationResult:
    """Run images through module ``lutformer_core`` of ``verilog`` and compare with the golden run.

    Compared are the logits, the class, and every value written to the residual stream: the
    embedding, and each block's output after attention and after the MLP.

    Parameters
    ----------
    network : Network
    verilog : Path
        What :func:`lutformer.hdl.generate.generate` wrote.
    images : uint8 [frames, height, width, channels]
    build_dir : Path
    simulator : {"icarus", "verilator"}
    idle, stall : float
        How often the bench pauses between pixels, and refuses result bytes; 0 to below 1.
    """
    progress(f"golden run of {len(images)} frames")
    integers = golden(network, images).integers
    linear, mlp = ["embedding"], []
    for n, block in enumerate(network.blocks):
        adds = isinstance(block.mlp, WeightlessMlp)  # else MatVec writes the MLP's outputs too
        linear += [f"blocks.{n}.attention"] + [f"blocks.{n}.mlp"] * (not adds)
        mlp += [f"blocks.{n}.mlp"] * adds
    build_dir.mkdir(parents=True, exist_ok=True)
    np.save(build_dir / "images.npy", images.reshape(len(images), -1))
    output = build_dir / "simulated.npz"
    output.unlink(missing_ok=True)
    size = network.tokens * network.width
    config = BenchConfig(
        images=str(build_dir.absolute() / "images.npy"),
        output=str(output.absolute()),
        linear_values=size * len(linear),
        mlp_values=size * len(mlp),
        result_bytes=6 + 4 * network.classes,
        idle=idle,
        stall=stall,
    )
    progress(f"{simulator} of {len(images)} frames")
    recorder = build_dir / "recorder.v"
    component = NetworkRecorder(linear_values=config.linear_values, mlp_values=config.mlp_values)
    recorder.write_text(emit(component, top="recorder"))
    simulate_verilog(
        [verilog, recorder],
        top="recorder",
        test_file=BENCH,
        build_dir=build_dir,
        simulator=simulator,
        config=config,
        waves=waves,
    )
    with np.load(output) as simulated:
        return _compare(network, integers, linear, mlp, dict(simulated))


def _compare(
    network: Network,
    integers: dict[str, NDArray[np.integer]],
    linear: list[str],
    mlp: list[str],
    simulated: dict[str, NDArray[np.int64]],
) -> SimulationResult:
    """Count the differences, stage by stage in the order of computation."""
    shape = (-1, network.tokens, network.width)
    frames = len(simulated["classes"])
    found = {
        name: simulated["linear"].reshape(frames, len(linear), *shape[1:])[:, n]
        for n, name in enumerate(linear)
    }
    found |= {
        name: simulated["mlp"].reshape(frames, len(mlp), *shape[1:])[:, n]
        for n, name in enumerate(mlp)
    }
    found["logits"] = simulated["logits"]
    expected = {name: integers[name] for name in integers if name in found}
    found["class"], expected["class"] = simulated["classes"], np.argmax(integers["logits"], axis=1)
    differs = {name: np.argwhere(found[name] != expected[name]) for name in expected}
    first = next(((name, where[0]) for name, where in differs.items() if len(where)), None)
    text = ""
    if first is not None:
        name, where = first
        at = tuple(int(n) for n in where)
        text = (
            f"{name}[{', '.join(map(str, at))}] is {found[name][at]}, golden {expected[name][at]}"
        )
    cycles = set(simulated["cycles"].tolist())
    if len(cycles) != 1:
        raise AssertionError(
            f"The cycles of an inference must not depend on its data, but vary: {sorted(cycles)}"
        )
    return SimulationResult(
        frames=frames,
        integers=sum(value.size for value in expected.values()),
        mismatches=sum(map(len, differs.values())),
        cycles_per_inference=cycles.pop(),
        first_mismatch=text,
    )
