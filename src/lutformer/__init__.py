"""Transformers made of popcounts and lookup tables, from training to a board that answers."""

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .boards.host.board_link import Board

__all__ = ["Board", "__version__"]

__version__ = version("lutformer")


def __getattr__(name: str) -> object:
    """Import ``Board`` on first use, so that the command line starts without it."""
    if name == "Board":
        from .boards.host.board_link import Board

        return Board
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
