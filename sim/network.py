"""Whole-network simulation: the emitted core against the golden run, integer by integer."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..hdl.core.probes import Probes
from ..hdl.mlp.kinds import linear_layers
from ..hdl.transformer.program import compile_network
from ..model.network.golden import golden
from ..model.network.vit import Network
from .engine_profile import profiled, watched_wires
from .network_recorder import NetworkRecorder
from .options import SimulationOptions
from .recorder import simulate_recorded
from .result import SimulationResult, differences

__all__ = ["BenchConfig", "simulate_network"]

BENCH = Path(__file__).with_name("network_bench.py")


@dataclass(frozen=True, kw_only=True)
class BenchConfig:
    """Configuration of the bench inside the simulator."""

    images: str  # .npy, uint8 [frames, bytes]
    output: str  # .npz to write
    linear_values: int  # residual values of each frame, by writer
    mlp_values: int
    result_bytes: int
    idle: float = 0.0
    stall: float = 0.0
    wires: tuple[tuple[str, ...], ...] = ()  # of the core, watched during the last inference


def simulate_network(
    network: Network,
    verilog: Path,
    images: NDArray[np.uint8],
    options: SimulationOptions,
    *,
    probes: Probes | None = None,
) -> SimulationResult:
    """Run images through module ``lutformer_core`` of ``verilog`` and compare with the golden run.

    Compared are the logits, the class, and every value written to the residual stream: the
    embedding, and each block's output after attention and after the MLP.

    Parameters
    ----------
    network : Network
    verilog : Path
        What :func:`lutformer.hdl.core.generate.generate` wrote.
    images : uint8 [frames, height, width, channels]
    options : SimulationOptions
    probes : Probes, optional
        Of the core; the last frame is then profiled.
    """
    options.progress(f"golden run of {len(images)} images")
    integers = golden(network, images).integers
    linear, mlp = ["embedding"], []
    for n, block in enumerate(network.blocks):
        adds = linear_layers(block.mlp) is None  # else MatVec writes the MLP's outputs too
        linear += [f"blocks.{n}.attention"] + [f"blocks.{n}.mlp"] * (not adds)
        mlp += [f"blocks.{n}.mlp"] * adds
    build_dir = options.build_dir
    build_dir.mkdir(parents=True, exist_ok=True)
    np.save(build_dir / "images.npy", images.reshape(len(images), -1))
    output = build_dir / "simulated.npz"
    size = network.tokens * network.width
    config = BenchConfig(
        images=str(build_dir.absolute() / "images.npy"),
        output=str(output.absolute()),
        linear_values=size * len(linear),
        mlp_values=size * len(mlp),
        result_bytes=6 + 4 * network.classes,
        idle=options.idle,
        stall=options.stall,
        wires=tuple(watched_wires(probes)) if probes else (),
    )
    options.progress(f"{options.simulator} of {len(images)} images")
    simulated = simulate_recorded(
        verilog,
        NetworkRecorder(linear_values=config.linear_values, mlp_values=config.mlp_values),
        test_file=BENCH,
        output=output,
        simulator=options.simulator,
        config=config,
        waves=options.waves,
        wires=config.wires,
    )
    result = _compare(network, integers, linear, mlp, simulated)
    return profiled(result, compile_network(network), probes, simulated["changes"])


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
    cycles = set(simulated["cycles"].tolist())
    if len(cycles) != 1:
        raise AssertionError(
            f"The cycles of an inference must not depend on its data, but vary: {sorted(cycles)}"
        )
    return SimulationResult(
        frames=frames, cycles_per_inference=cycles.pop(), **asdict(differences(expected, found))
    )
