"""Proofs that trained tables, emitted Verilog and netlist are equal, recorded."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import progress
from .equality import NotEqual
from .workspace import Workspace, writable

if TYPE_CHECKING:
    from .boards.lut_proof import WrongEntry
    from .boards.placed_layers import PlacedLayer

__all__ = ["Claim", "verify_directory"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Something that was shown."""

    part: str
    claim: str
    method: str
    result: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Task:
    """Something to be shown: ``work`` returns the result, or raises :class:`NotEqual`."""

    part: str
    claim: str
    method: str
    work: Callable[[], str]


def verify_directory(workspace: Workspace) -> list[Claim]:
    """Show every claim about a build directory; write and return them.

    Raises
    ------
    NotEqual
        At the first that does not hold.
    """
    verilog = workspace.require_verilog()
    writable(workspace.path)
    workspace.verification.unlink(missing_ok=True)
    tasks = list(_tasks(workspace, verilog))
    claims = []
    with progress("Proving", len(tasks)) as advance:
        for number, task in enumerate(tasks, start=1):
            start = time.monotonic()
            result = task.work()
            claims.append(
                Claim(
                    part=task.part,
                    claim=task.claim,
                    method=task.method,
                    result=result,
                    seconds=round(time.monotonic() - start, 2),
                )
            )
            advance(number)
    record: dict[str, Any] = {
        "verilog": hashlib.sha256(verilog.read_bytes()).hexdigest(),
        "network": workspace.network().hash,
        "claims": [asdict(claim) for claim in claims],
    }
    workspace.write(workspace.verification, record)
    return claims


def _tasks(workspace: Workspace, verilog: Path) -> Iterator[_Task]:
    from .boards.placed_layers import placed_layers

    for placed in placed_layers(workspace.network()):
        yield from _layer_tasks(workspace, verilog, placed)


def _layer_tasks(workspace: Workspace, verilog: Path, placed: "PlacedLayer") -> Iterator[_Task]:
    from .boards.aig import Aig
    from .boards.gates import Gates
    from .boards.lowering import mapped, netlist_gates, verilog_gates
    from .boards.lut_proof import check_tables

    directory = workspace.path / "proof" / placed.name
    board, layer, module = workspace.board(), placed.layer, placed.module

    def verilog_equals_tables() -> str:
        gates = Gates(verilog_gates(verilog, placed.around, directory), Aig())
        nets = gates.wire(placed.inputs), gates.wire(placed.outputs)
        wrong = check_tables(layer, gates, nets, directory)
        return _judge(wrong, placed, "emitted Verilog")

    def netlist_equals_tables() -> str:
        netlist = mapped(verilog, module, board, directory, wires="io")
        gates = Gates(netlist_gates(netlist, module, board.family, directory), Aig())
        wrong = check_tables(layer, gates, (gates.wire("i"), gates.wire("o")), directory)
        return _judge(wrong, placed, "synthesised netlist")

    method = "proof, every input"
    yield _Task(part=placed.name, claim="RTL == tables", method=method, work=verilog_equals_tables)
    yield _Task(
        part=placed.name,
        claim=f"netlist ({board.family}) == tables",
        method=method,
        work=netlist_equals_tables,
    )


def _judge(wrong: "WrongEntry | None", placed: "PlacedLayer", what: str) -> str:
    if wrong is None:
        return f"equal, {placed.layer.luts} LUTs"
    raise NotEqual(
        f"The {what} of {placed.name} ({placed.module}) differs from the trained tables: "
        f"LUT {wrong.lut} gives {wrong.found} at address {wrong.address}, trained {wrong.trained}"
    )
