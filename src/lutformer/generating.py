"""From the network to Verilog in a build directory."""

from pathlib import Path
from typing import TYPE_CHECKING

from .families import family_of
from .model.network.network_file import load_network
from .planning import plan_for
from .workspace import Workspace, writable, write_text

if TYPE_CHECKING:
    from .hdl.plan.board_plan import BoardPlan

__all__ = ["generate_verilog"]


def generate_verilog(
    network_file: Path,
    board_name: str,
    directory: Path,
    *,
    plan_file: Path | None = None,
    core: bool = False,
) -> tuple[Workspace, "BoardPlan"]:
    """Plan the circuit of a network for a board and write its Verilog to ``directory``.

    Fields that ``plan_file`` (TOML) sets are not the planner's to choose.
    """
    network = load_network(network_file)
    workspace = Workspace(directory)
    plan = plan_for(network, board_name, plan_file, core=core)
    family_of(network).generate(network, plan, writable(directory), core=core)
    for file in [workspace.top] if core else [workspace.core, *workspace.beside_core]:
        file.unlink(missing_ok=True)  # of an earlier plan
    _keep(board_name, workspace)
    workspace.write(workspace.generation, {"verilog": workspace.digest(), "network": network.hash})
    return workspace, plan


def _keep(board_name: str, workspace: Workspace) -> None:
    """Keep the board beside its Verilog if it is not the package's, which knows its own."""
    from .boards.board import board

    workspace.board_file.unlink(missing_ok=True)
    if board_name.endswith(".py"):
        write_text(workspace.board_file, board(board_name).model_dump_json(indent=2) + "\n")
