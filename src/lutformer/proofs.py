"""What there is to prove about a build directory: one function a claim."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from .boards.aig import Aig
from .boards.build import READ
from .boards.gates import Gates
from .boards.lowering import mapped, netlist_gates, verilog_gates, word_level
from .boards.lut_proof import WrongEntry, check_tables
from .boards.netlist_proof import Difference, check_netlist
from .boards.placed_layers import PlacedLayer, placed_layers
from .equality import NotEqual
from .workspace import Workspace

__all__ = ["Task", "tasks"]

EVERY_INPUT = "proof, every input"
EVERY_STATE = "proof, every input in every state"
SHOWN = 6  # of the inputs at which circuits differ


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to be shown: ``work`` returns how much was equal, or raises ``NotEqual``."""

    part: str
    claim: str
    method: str
    work: Callable[[], str]


def tasks(workspace: Workspace) -> Iterator[Task]:
    """Yield all that can be shown of what has been made so far."""
    lowered = cache(partial(_lowered, workspace))  # layers of one MLP stand in one module
    for placed in placed_layers(workspace.network()):
        yield from _layer(workspace, placed, lowered)
    if is_built(workspace):
        yield _board(workspace)


def is_built(workspace: Workspace) -> bool:
    """Return whether the netlist of this very Verilog is there."""
    board = workspace.board().name
    return workspace.built_from_this(board) and (workspace.path / board / "top.json").is_file()


def _lowered(workspace: Workspace, module: str) -> dict[str, Any]:
    return verilog_gates(workspace.require_verilog(), module, workspace.path / "proof" / module)


def _layer(
    workspace: Workspace, placed: PlacedLayer, lowered: Callable[[str], dict[str, Any]]
) -> Iterator[Task]:
    verilog, board = workspace.require_verilog(), workspace.board()
    directory = workspace.path / "proof" / placed.name
    layer, module = placed.layer, placed.module

    def verilog_looks_up() -> str:
        directory.mkdir(parents=True, exist_ok=True)
        gates = Gates(lowered(placed.around), Aig())
        nets = gates.wire(placed.inputs), gates.wire(placed.outputs)
        return _judge(check_tables(layer, gates, nets, directory), placed, "emitted Verilog")

    def netlist_looks_up() -> str:
        netlist = mapped(verilog, module, board, directory, wires="io")
        gates = Gates(netlist_gates({module: netlist}, module, board.family, directory), Aig())
        nets = gates.wire("i"), gates.wire("o")
        return _judge(check_tables(layer, gates, nets, directory), placed, "netlist")

    yield Task(
        part=placed.name, claim="Verilog == tables", method=EVERY_INPUT, work=verilog_looks_up
    )
    yield Task(
        part=placed.name,
        claim=f"netlist of the layer alone ({board.family}) == tables",
        method=EVERY_INPUT,
        work=netlist_looks_up,
    )


def _judge(wrong: WrongEntry | None, placed: PlacedLayer, what: str) -> str:
    if wrong is None:
        return f"{placed.layer.luts} LUTs"
    raise NotEqual(
        f"The {what} of {placed.name} ({placed.module}) is not what was trained: LUT {wrong.lut} "
        f"gives {wrong.found} at address {wrong.address}, its table {wrong.trained}"
    )


def _board(workspace: Workspace) -> Task:
    board = workspace.board()
    folder, directory = workspace.path / board.name, workspace.path / "proof" / board.name

    def netlist_does_the_same() -> str:
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("lutformer_top.v", "top.il"):
            (directory / name).write_bytes((folder / name).read_bytes())
        words = word_level(READ, "top", board, directory)
        modules = json.loads((folder / "top.json").read_bytes())["modules"]
        gates = netlist_gates(modules, "top", board.family, directory)
        found = check_netlist(words, gates, directory)
        if isinstance(found, Difference):
            raise NotEqual(_difference(folder / "top.json", found))
        return (
            f"{found.functions} functions around {found.registers} registers and "
            f"{found.boxes} closed cells"
        )

    return Task(
        part=f"{board.name}/top.json",
        claim="netlist == Verilog at word level",
        method=EVERY_STATE,
        work=netlist_does_the_same,
    )


def _difference(netlist: Path, found: Difference) -> str:
    ones = ", ".join(found.at[:SHOWN]) + (", ..." if len(found.at) > SHOWN else "")
    where = f" where {ones} are 1 and the rest 0" if found.at else ""
    return (
        f"The netlist {str(netlist)!r} is not what the Verilog says: {found.where} is "
        f"{found.found}, by the Verilog {found.expected}{where}"
    )
