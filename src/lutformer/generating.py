"""From the network to Verilog in a build directory."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .model.network import load
from .workspace import Workspace, writable

if TYPE_CHECKING:
    from .hdl.plan import Plan

__all__ = ["generate_verilog", "read_overrides"]


def read_overrides(file: Path | None) -> dict[str, Any] | None:
    """Return the plan's fields that a TOML file sets."""
    if file is None:
        return None
    try:
        return tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"Plan {str(file)!r} cannot be read: {error}") from error


def generate_verilog(
    network_file: Path,
    board_name: str,
    directory: Path,
    *,
    overrides: dict[str, Any] | None = None,
    core: bool = False,
) -> tuple[Workspace, "Plan"]:
    """Plan the accelerator of a network for a board and write its Verilog to ``directory``."""
    from .boards.board import board
    from .hdl.generate import generate
    from .hdl.plan import make_plan

    network = load(network_file)
    plan = make_plan(network, board(board_name), overrides)
    generate(network, plan, writable(directory), core=core)
    return Workspace(directory), plan
