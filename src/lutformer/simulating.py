"""The emitted Verilog of a build directory against the golden run, recorded."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from .console import notes
from .errors import NotEqual, UsageError
from .families import family_of
from .families.held_out import NoData
from .families.simulation_job import SimulationJob
from .model.data.images import DataError
from .model.network.stored_network import StoredNetwork
from .workspace import Workspace, writable

__all__ = ["cycles_told", "simulate_frames"]


def simulate_frames(
    workspace: Workspace,
    frames: int | None = None,
    *,
    simulator: Literal["verilator", "icarus"] = "verilator",
    waves: bool = False,
    activity: bool = False,
    data: Path | None = None,
) -> dict[str, Any]:
    """Simulate ``frames`` inferences and compare every integer; write and return the record.

    With ``activity`` also count how often every net changes, into a record of its own.

    Raises
    ------
    NotEqual
        If any integer differs.
    """
    from .cells import with_models
    from .sim.options import SimulationOptions

    if activity and (waves or simulator != "verilator"):
        raise UsageError("--activity needs Verilator and excludes --waves: give it alone")
    network, plan = workspace.stored_network(), workspace.plan()
    family = family_of(network)
    verilog = workspace.require_verilog()
    directory = writable(workspace.path) / "simulation"
    count = frames or family.frames
    inputs, origin = _inputs(network, count, data)
    with notes.status("") as status:
        result = family.simulate(
            network,
            SimulationJob(
                verilog=with_models(verilog, directory),
                plan=plan,
                core=verilog == workspace.core,
                inputs=inputs,
                count=count,
            ),
            SimulationOptions(
                build_dir=directory,
                simulator=simulator,
                waves="saif" if activity else waves,
                progress=lambda text: status.update(f"Simulating: {text}"),
            ),
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
    record |= family.pace(network, plan, result)
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


def _inputs(network: StoredNetwork, count: int, data: Path | None) -> tuple[NDArray[Any], str]:
    """Return the held-out inputs, or random ones if the dataset is unknown."""
    family = family_of(network)
    try:
        inputs, name = family.held_out_inputs(network, data)
    except (NoData, DataError):
        if data is not None:
            raise
        return family.random_inputs(network, count), "random"
    return inputs, f"{name}, held out"
