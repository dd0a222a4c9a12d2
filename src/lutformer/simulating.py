"""The emitted Verilog of a build directory against the golden run, recorded."""

from dataclasses import asdict, dataclass
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .console import notes
from .errors import UsageError
from .families.equality import NotEqual
from .families.held_out import NoData, held_out_inputs
from .model.data.images import DataError
from .model.network.gpt import Gpt
from .model.network.stored_network import StoredNetwork
from .model.network.vit import Network
from .model.network.weightless_classifier import WeightlessClassifier
from .model.sampling import Sampling
from .workspace import Workspace, writable

if TYPE_CHECKING:
    from .sim.result import SimulationResult

__all__ = ["cycles_told", "simulate_frames"]

SEED = 0
TOKENS = 64
"""Of a text, unless somebody says how many."""
FRAMES = 10
"""Images or rows."""
TEMPERATURE = 0.8


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A simulation of a network of any family."""

    verilog: Path
    inputs: NDArray[Any]
    frames: int
    workspace: Workspace


def simulate_frames(
    workspace: Workspace,
    frames: int | None = None,
    *,
    simulator: Literal["verilator", "icarus"] = "verilator",
    waves: bool = False,
    activity: bool = False,
    data: Path | None = None,
) -> dict[str, Any]:
    """Simulate ``frames`` inputs and compare every integer; write and return the record.

    With ``activity`` also count how often every net changes, into a record of its own.

    Of a text network ``frames`` tokens, chosen after the first half of a held-out block.

    Raises
    ------
    NotEqual
        If any integer differs.
    """
    from .cells import with_models

    if activity and (waves or simulator != "verilator"):
        raise UsageError("--activity needs Verilator and excludes --waves: give it alone")
    network = workspace.stored_network()
    verilog = workspace.require_verilog()
    directory = writable(workspace.path) / "simulation"
    frames = frames or (TOKENS if isinstance(network, Gpt) else FRAMES)
    inputs, origin = _inputs(network, frames, data)
    with notes.status("") as status:
        result = _simulate(
            network,
            _Run(
                verilog=with_models(verilog, directory),
                inputs=inputs,
                frames=frames,
                workspace=workspace,
            ),
            build_dir=directory,
            simulator=simulator,
            waves="saif" if activity else waves,
            progress=lambda text: status.update(f"Simulating: {text}"),
        )
    if activity:
        _record_activity(workspace, network, result.frames)
    record = {
        "verilog": workspace.digest(),
        "network": network.hash,
        "simulator": simulator,
        "images": origin,
        "frames": result.frames,
        "integers": result.integers,
        "mismatches": result.mismatches,
        "cycles": result.cycles_per_inference or None,
        "profile": asdict(result.profile) if result.profile else None,
    }
    record |= _pace(network, workspace, result)
    workspace.write(workspace.simulation, record)
    if result.mismatches:
        raise NotEqual(
            f"{result.mismatches} of {result.integers} integers of the simulated Verilog differ "
            f"from the golden run, first {result.first_mismatch}"
        )
    return record


def _record_activity(workspace: Workspace, network: StoredNetwork, frames: int) -> None:
    from .sim.activity import read_activity

    found = read_activity(workspace.path / "simulation" / "dump.saif")
    record = {
        "verilog": workspace.digest(),
        "network": network.hash,
        "inferences": frames,
    }
    workspace.write(workspace.activity, record | asdict(found))


def cycles_told(record: dict[str, Any]) -> list[str]:
    """Return sentences about the cycles in a record of :func:`simulate_frames`."""
    by_place = record.get("cycles_by_place")
    if by_place is None:
        return [f"{record['cycles']} cycles an inference"]
    told = []
    if record["load_cycles"]:
        told.append(f"{record['load_cycles']} cycles to load the weights")
    if by_place:
        told.append(
            f"{min(by_place.values())} to {record['cycles']} cycles a token, by its place in the "
            f"context; mean {record['mean_cycles']:g}"
        )
        told.append(f"bound {record['bound']}, ratio {record['ratio']:.3f}")
    return told


@singledispatch
def _pace(
    network: StoredNetwork, workspace: Workspace, result: "SimulationResult"
) -> dict[str, Any]:
    """Return further sentences about cycles."""
    return {}


@_pace.register(Gpt)
def _(network: Gpt, workspace: Workspace, result: "SimulationResult") -> dict[str, Any]:
    from .hdl.planner.bound import bound

    cycles, least = result.cycles_by_place, bound(network, workspace.plan())["bound"]
    return {
        "cycles_by_place": cycles,
        "mean_cycles": round(sum(cycles.values()) / len(cycles), 2) if cycles else None,
        "load_cycles": result.load_cycles,
        "bound": least,
        "ratio": round(result.cycles_per_inference / least, 4) if cycles else None,
    }


@singledispatch
def _simulate(network: StoredNetwork, run: _Run, **options: Any) -> "SimulationResult":
    """Run the inputs through the Verilog of a family of networks and through the golden run."""
    raise UsageError(f"A {type(network).__name__} cannot be simulated from here yet")


@_simulate.register(Network)
def _(network: Network, run: _Run, **options: Any) -> "SimulationResult":
    from .hdl.core.probes import probes
    from .hdl.transformer.accelerator import Accelerator
    from .sim.network import simulate_network

    plan: Any = run.workspace.plan()
    return simulate_network(
        network,
        run.verilog,
        run.inputs[: run.frames],
        probes=probes(Accelerator(network, plan)),
        **options,
    )


@_simulate.register(Gpt)
def _(network: Gpt, run: _Run, **options: Any) -> "SimulationResult":
    from .hdl.core.decoder_core import DecoderCore
    from .hdl.core.probes import probes
    from .hdl.transformer.decoder import stored_weights
    from .sim.decoder import simulate_decoder

    plan: Any = run.workspace.plan()
    return simulate_decoder(
        network,
        run.verilog,
        run.inputs[0, : network.block_size // 2].tolist(),
        tokens=run.frames,
        sampling=Sampling(temperature=network.temperature(TEMPERATURE)),
        weights=stored_weights(network, plan) if plan.external_weights else b"",
        probes=probes(DecoderCore(network, plan)),
        **options,
    )


@_simulate.register(WeightlessClassifier)
def _(network: WeightlessClassifier, run: _Run, **options: Any) -> "SimulationResult":
    from .sim.classifier import simulate_classifier

    core = run.workspace.verilog == run.workspace.core
    inputs = run.inputs[: run.frames]
    return simulate_classifier(network, run.verilog, inputs, as_bytes=not core, **options)


def _inputs(network: StoredNetwork, frames: int, data: Path | None) -> tuple[NDArray[Any], str]:
    """Return the first held-out inputs, or random ones if the dataset is unknown."""
    try:
        inputs, name = held_out_inputs(network, data)
    except (NoData, DataError):
        if data is not None:
            raise
        return _random(network, frames), "random"
    return inputs, f"{name}, held out"


@singledispatch
def _random(network: StoredNetwork, frames: int) -> NDArray[Any]:
    """Return random inputs, always the same."""
    raise UsageError(f"There are no inputs for a {type(network).__name__}")


@_random.register
def _(network: Network, frames: int) -> NDArray[Any]:
    e = network.embedding
    shape = (frames, e.height, e.width, e.channels)
    return np.random.default_rng(SEED).integers(0, 256, shape, np.uint8)


@_random.register
def _(network: WeightlessClassifier, frames: int) -> NDArray[Any]:
    encoder, rng = network.encoder, np.random.default_rng(SEED)
    return rng.integers(encoder.lowest, encoder.highest + 1, (frames, encoder.features))


@_random.register
def _(network: Gpt, frames: int) -> NDArray[Any]:
    rng = np.random.default_rng(SEED)
    return rng.integers(0, network.head.out_features, (1, network.block_size))
