"""``lutformer demo``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "demo"]

EXAMPLES = ("lutformer demo", "lutformer demo -o build/ulx3s --board ulx3s_85f")


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Directory for everything that is made.")
    ] = Path("build/demo"),
    preset: Annotated[str, typer.Option(help="What to train; see `lutformer presets`.")] = "digits",
    board: Annotated[str, typer.Option(help="What to build for; see `lutformer boards`.")] = (
        "icebreaker"
    ),
    frames: Annotated[int, typer.Option(min=1, help="Held-out images in the simulation.")] = 100,
) -> None:
    """Go all the way, from training to a board that answers.

    Trains, exports, generates, simulates, builds, and asks the virtual board. Ends with a table
    of what came out. Run again, it does only the steps whose inputs (files, options or code)
    have changed.
    """
    from ..demonstration import demonstrate

    demonstrate(output, preset, board, frames)
