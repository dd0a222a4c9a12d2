"""From the network to Verilog in a build directory."""

from pathlib import Path
from typing import TYPE_CHECKING

from .model.network import load
from .workspace import Workspace, writable

if TYPE_CHECKING:
    from .hdl.plan import Plan

__all__ = ["generate_verilog"]


def generate_verilog(
    network_file: Path,
    board_name: str,
    directory: Path,
    *,
    plan_file: Path | None = None,
    core: bool = False,
) -> tuple[Workspace, "Plan"]:
    """Plan the accelerator of a network for a board and write its Verilog to ``directory``.

    Fields that ``plan_file`` (TOML) sets are not the planner's to choose.
    """
    from .boards.board import board
    from .hdl.generate import generate
    from .hdl.plan import read_overrides
    from .hdl.planner import make_plan

    network = load(network_file)
    overrides = None if plan_file is None else read_overrides(plan_file)
    plan = make_plan(network, board(board_name), overrides)
    workspace = Workspace(directory)
    generate(network, plan, writable(directory), core=core)
    (workspace.top if core else workspace.core).unlink(missing_ok=True)  # of an earlier plan
    return workspace, plan
