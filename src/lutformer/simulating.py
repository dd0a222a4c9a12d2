"""The emitted Verilog of a build directory against the golden run, recorded."""

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .console import notes
from .equality import NotEqual
from .held_out import NoData, held_out
from .model.data import DataError
from .model.network import Network
from .workspace import Workspace, writable

__all__ = ["simulate_frames"]

SEED = 0


def simulate_frames(
    workspace: Workspace,
    frames: int,
    *,
    simulator: Literal["verilator", "icarus"] = "verilator",
    waves: bool = False,
    data: Path | None = None,
) -> dict[str, Any]:
    """Simulate ``frames`` images and compare every integer; write and return the record.

    Raises
    ------
    NotEqual
        If any integer differs.
    """
    from .sim.network import simulate_network

    network = workspace.network()
    verilog = workspace.require_verilog()
    writable(workspace.path)
    images, origin = _images(network, frames, data)
    with notes.status("") as status:
        result = simulate_network(
            network,
            verilog,
            images,
            build_dir=workspace.path / "simulation",
            simulator=simulator,
            waves=waves,
            progress=lambda text: status.update(f"Simulating: {text}"),
        )
    record = {
        "verilog": hashlib.sha256(verilog.read_bytes()).hexdigest(),
        "network": network.hash,
        "simulator": simulator,
        "images": origin,
        "frames": result.frames,
        "integers": result.integers,
        "mismatches": result.mismatches,
        "cycles": result.cycles_per_inference,
    }
    workspace.write(workspace.simulation, record)
    if result.mismatches:
        raise NotEqual(
            f"{result.mismatches} of {result.integers} integers of the simulated Verilog differ "
            f"from the golden run, first {result.first_mismatch}"
        )
    return record


def _images(network: Network, frames: int, data: Path | None) -> tuple[NDArray[np.uint8], str]:
    """Return the first held-out images, or random ones if nobody says what the data are."""
    try:
        dataset = held_out(network, data)
    except (NoData, DataError):
        if data is not None:
            raise
        e = network.embedding
        shape = (frames, e.height, e.width, e.channels)
        return np.random.default_rng(SEED).integers(0, 256, shape, np.uint8), "random"
    return dataset.test_images[:frames], f"{dataset.name}, held out"
