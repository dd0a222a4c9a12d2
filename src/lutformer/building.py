"""The bitstream of a build directory."""

from typing import TYPE_CHECKING

from .console import notes, out
from .workspace import Workspace, writable

if TYPE_CHECKING:
    from .boards.build.bitstream import BuildResult

__all__ = ["build_bitstream"]


def build_bitstream(workspace: Workspace, seed: int = 1) -> "BuildResult":
    """Synthesise, place, route and pack for the board of the plan, telling of each step."""
    from .boards.build.bitstream import build

    def tell(step: str, seconds: float | None) -> None:
        if seconds is not None:
            out.print(f"{step}: {seconds:.0f} s")

    board = workspace.board()
    top = workspace.require_top()
    writable(workspace.path)
    with notes.status(f"Building for {board.title}"):
        return build(top, board, workspace.path, seed=seed, progress=tell)
