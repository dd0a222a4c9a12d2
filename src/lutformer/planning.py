"""Plans: which one a network gets on a board, and what the board lacks for it."""

from pathlib import Path
from typing import TYPE_CHECKING

from .errors import DoesNotFit
from .families import family_of
from .model.network.stored_network import StoredNetwork

if TYPE_CHECKING:
    from .boards.board import Board
    from .hdl.plan.board_plan import BoardPlan

__all__ = ["Shortage", "plan_for", "shortage"]

Shortage = dict[str, tuple[int, int]]
"""What a chip has too little of: needed and there, by name of the resource."""


def plan_for(
    network: StoredNetwork, board_name: str, plan_file: Path | None, *, core: bool
) -> "BoardPlan":
    """Return the plan of a network's core, or of its board top, for a board.

    Fields that ``plan_file`` (TOML) sets are not the planner's to choose.
    """
    from .boards.board import board
    from .hdl.plan.plan import read_overrides

    family, target = family_of(network), board(board_name)
    overrides = {} if plan_file is None else read_overrides(plan_file, family.plan_class())
    return family.make_plan(network, target, overrides, core=core)


def shortage(network: StoredNetwork, board: "Board") -> Shortage:
    """Return what ``board`` lacks for the smallest plan of ``network``; empty if it fits."""
    try:
        plan_for(network, board.name, None, core=False)
    except DoesNotFit as error:
        return error.over
    return {}
