"""``lutformer demo``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "demo"]

EXAMPLES = ("lutformer demo", "lutformer demo -o build/ulx3s --board ulx3s_85f")


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for all files.")] = Path(
        "build/demo"
    ),
    preset: Annotated[
        str, typer.Option(help="Network to train; see `lutformer presets`.")
    ] = "digits",
    board: Annotated[str, typer.Option(help="Board to build for; see `lutformer boards`.")] = (
        "icebreaker"
    ),
    frames: Annotated[int, typer.Option(min=1, help="Held-out images to simulate.")] = 100,
) -> None:
    """Run every step, from training to the virtual board.

    Trains, exports, generates, simulates, builds, and runs the virtual board, then prints a table
    of the results. Run again, it repeats only the steps whose inputs (files, options or code) have
    changed.
    """
    from ..demonstration import demonstrate

    demonstrate(output, preset, board, frames)
