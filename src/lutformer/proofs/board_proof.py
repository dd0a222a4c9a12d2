"""The claim about the netlist of a whole board."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..boards.build.bitstream import READ
from ..errors import NotEqual
from ..sim.formal.lowering import netlist_gates, word_level
from ..sim.formal.netlist_proof import Difference, check_netlist
from .claims import EVERY_STATE, Skipped, Task

if TYPE_CHECKING:
    from ..workspace import Workspace

__all__ = ["board_task", "difference"]

SHOWN = 6  # of the inputs at which circuits differ


def _is_built(workspace: "Workspace") -> bool:
    """Return whether the netlist of this very Verilog is there."""
    board = workspace.board().name
    return workspace.built_from_this(board) and (workspace.path / board / "top.json").is_file()


def board_task(workspace: "Workspace") -> Task:
    """Return the claim about the netlist of the whole board, skipped where there is none."""
    board = workspace.board()
    folder, directory = workspace.path / board.name, workspace.path / "proof" / board.name

    def netlist_does_the_same() -> str:
        if not _is_built(workspace):
            raise Skipped("there is no netlist of this Verilog: run `lutformer build` first")
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("lutformer_top.v", "top.il"):
            (directory / name).write_bytes((folder / name).read_bytes())
        words = word_level(READ, "top", board, directory)
        modules = json.loads((folder / "top.json").read_bytes())["modules"]
        gates = netlist_gates(modules, "top", board.family, directory)
        found = check_netlist(words, gates, directory)
        if isinstance(found, Difference):
            raise NotEqual(difference(folder / "top.json", found))
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


def difference(netlist: Path, found: Difference) -> str:
    """Return a sentence about where a netlist and its Verilog differ."""
    ones = ", ".join(found.at[:SHOWN]) + (", ..." if len(found.at) > SHOWN else "")
    where = f" where {ones} are 1 and the rest 0" if found.at else ""
    return (
        f"The netlist {str(netlist)!r} is not what the Verilog says: {found.where} is "
        f"{found.found}, by the Verilog {found.expected}{where}"
    )
