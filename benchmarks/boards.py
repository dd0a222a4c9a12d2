"""One network on every board: ``python -m benchmarks.boards [--full] [--boards a,b]``.

Trains and exports the preset ``digits`` (or takes ``--network FILE``), plans it for each board,
simulates each plan once, and builds each bitstream. What is done lies in the output directory and
is not done again, so that the command can be stopped and started. Quick by default: a small
network with random weights on one board.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.bars import Bar, add_full, json_text
from lutformer.boards.board import Board, board, boards
from lutformer.boards.build import tools
from lutformer.boards.build.bitstream import BuildResult, build
from lutformer.console import notes, table
from lutformer.errors import DoesNotFit, TimingMissed
from lutformer.exporting import export_network
from lutformer.generating import generate_verilog
from lutformer.hdl.plan.board_plan import BoardPlan
from lutformer.model.config.presets import preset
from lutformer.model.data.images import load_data
from lutformer.model.network.network_file import save_network
from lutformer.model.nn.training.train import progress_bar, train
from lutformer.simulating import simulate_frames
from lutformer.testing.random_network import NetworkShape, random_network
from lutformer.workspace import Workspace, writable

__all__ = ["Row", "measured"]

PRESET, FRAMES = "digits", 10
QUICK_BOARD = "icebreaker"
QUICK_SHAPE = NetworkShape(height=8, width=8)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A network on one board; what is not known where it does not fit is None."""

    board: str
    device: str
    verdict: str
    """``built``, or why there is no bitstream, with the numbers."""
    plan: dict[str, Any] | None = None
    lut4: int | None = None
    ff: int | None = None
    cells: int | None = None
    ebr: int | None = None
    dsp: int | None = None
    available: dict[str, int] | None = None
    fmax_mhz: float | None = None
    clock_mhz: float
    cycles: int | None = None
    """Of an image, counted in simulation."""
    images_at_fmax: float | None = None
    images_at_clock: float | None = None
    integers: int | None = None
    """Of the simulation, all equal to the golden run's."""
    bitstream_bytes: int | None = None


def measured(network: Path, name: str, out: Path) -> Row:
    """Plan, simulate and build ``network`` for a board, unless that was done before."""
    target = board(name)
    try:
        workspace, plan = generate_verilog(network, name, out / name)
    except DoesNotFit as error:
        return _refused(target, error)
    kept = workspace.path / "row.json"
    key = _key(workspace, target)
    record = workspace.read(kept)
    if record is not None and record["key"] == key:
        return Row(**record["row"])
    row = _build(workspace, target, plan, _simulated(workspace, plan, out))
    workspace.write(kept, {"key": key, "row": asdict(row)})
    return row


def _key(workspace: Workspace, target: Board) -> str:
    """Hash what a row depends on."""
    facts = [target.build_facts, tools.versions(*tools.TOOLS)]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(workspace.top.read_bytes())
    return digest.hexdigest()


def _simulated(workspace: Workspace, plan: BoardPlan, out: Path) -> dict[str, Any]:
    """Return the record of a simulation: boards of one plan share it."""
    circuit = plan.model_dump(exclude={"board", "clock_hz", "baud"})
    facts = json.dumps([workspace.stored_network().hash, circuit], sort_keys=True)
    name = hashlib.sha256(facts.encode()).hexdigest()[:16]
    kept = writable(out / "simulations") / f"{name}.json"
    record = workspace.read(kept)
    if record is None:
        record = simulate_frames(workspace, FRAMES)
        workspace.write(kept, record)
    return record


def _build(workspace: Workspace, target: Board, plan: BoardPlan, simulated: dict[str, Any]) -> Row:
    circuit = plan.model_dump(mode="json")
    try:
        result = build(workspace.top, target, workspace.path, progress=_tell(target))
    except (DoesNotFit, TimingMissed) as error:
        return _refused(target, error, circuit, simulated)
    fmax, clock = result.timing["fmax_mhz"], target.clock_hz / 1e6
    return Row(
        board=target.name,
        device=target.device,
        verdict="built",
        plan=circuit,
        **{kind: result.resources[kind] for kind in ("lut4", "ff", "cells", "ebr", "dsp")},
        available=result.available,
        fmax_mhz=fmax,
        clock_mhz=clock,
        cycles=simulated["cycles"],
        images_at_fmax=round(1e6 * fmax / simulated["cycles"], 1),
        images_at_clock=round(1e6 * clock / simulated["cycles"], 1),
        integers=simulated["integers"],
        bitstream_bytes=_size(workspace, result),
    )


def _size(workspace: Workspace, result: BuildResult) -> int:
    return (workspace.path / result.bitstream).stat().st_size


def _refused(
    target: Board,
    error: DoesNotFit | TimingMissed,
    plan: dict[str, Any] | None = None,
    simulated: dict[str, Any] | None = None,
) -> Row:
    counted = simulated or {}
    return Row(
        board=target.name,
        device=target.device,
        verdict=str(error),
        plan=plan,
        fmax_mhz=error.fmax_mhz if isinstance(error, TimingMissed) else None,
        clock_mhz=target.clock_hz / 1e6,
        cycles=counted.get("cycles"),
        integers=counted.get("integers"),
    )


def _tell(target: Board) -> Any:
    def tell(step: str, seconds: float | None) -> None:
        if seconds is not None:
            notes.print(f"{target.name}: {step} took {seconds:.0f} s")

    return tell


def trained(out: Path) -> Path:
    """Train and export the preset, unless that was done before; return the network's file."""
    chosen = preset(PRESET)
    torch.set_num_threads(1)  # sums in another order would train another network
    with progress_bar(notes) as progress:
        train(chosen.model, chosen.train, load_data(chosen.data), out / "training", progress)
    network = out / "network.safetensors"
    if not network.is_file():
        export_network(out / "training" / "checkpoint.safetensors", network)
    return network


def small(out: Path) -> Path:
    """Write a small network with random weights; return its file."""
    path = writable(out) / "network.safetensors"
    save_network(random_network(QUICK_SHAPE), path)
    return path


def bars(rows: Sequence[Row]) -> list[Bar]:
    return [
        Bar(
            name=f"{row.board}: fmax of what was built, MHz",
            value=row.fmax_mhz or 0.0,
            at_least=row.clock_mhz,
        )
        for row in rows
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--boards", help="names with commas between them")
    parser.add_argument("--network", type=Path, help="a network to build instead of the preset")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("-o", type=Path, default=Path("build/boards"), help="output directory")
    add_full(parser, f"the preset {PRESET}, on all boards unless some are named: hours")
    chosen = parser.parse_args(arguments)
    out = chosen.o if chosen.full or chosen.network else chosen.o / "quick"
    every = [found.name for found in boards()] if chosen.full else [QUICK_BOARD]
    names = chosen.boards.split(",") if chosen.boards else every
    network = chosen.network or (trained(out) if chosen.full else small(out))
    rows = [measured(network, name, out) for name in names]
    if chosen.json:
        print(json_text(bars(rows), [asdict(row) for row in rows]))
        return
    _print(rows)


def _print(rows: list[Row]) -> None:
    head = ("board", "chip", "LUT4", "cells", "block memories", "DSP", "fmax", "clock")
    table(
        (*head, "cycles", "images/s at fmax", "bitstream, bytes"),
        [_cells(row) for row in rows if row.verdict == "built"],
    )
    for row in rows:
        if row.verdict != "built":
            print(f"{row.board}: {row.verdict}")


def _cells(row: Row) -> tuple[object, ...]:
    of = row.available or {}
    counts = [f"{getattr(row, kind):,} of {of[kind]:,}" for kind in ("cells", "ebr", "dsp")]
    speed = (f"{row.fmax_mhz:.1f}", f"{row.clock_mhz:g}", f"{row.cycles:,}")
    ends = (f"{row.images_at_fmax:,.0f}", f"{row.bitstream_bytes:,}")
    return (row.board, row.device, f"{row.lut4:,}", *counts, *speed, *ends)


if __name__ == "__main__":
    main()
