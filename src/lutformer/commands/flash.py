"""``lutformer flash``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["EXAMPLES", "flash"]

EXAMPLES = (
    "lutformer flash build/digits-icebreaker",
    "lutformer flash build/digits-icebreaker --dry-run",
    "lutformer flash build/digits-ulx3s_85f --sram",
)


def flash(
    directory: Annotated[Path, typer.Argument(help="Where `lutformer build` was run.")],
    sram: Annotated[
        bool, typer.Option("--sram", help="Into the chip: lasts until the power goes.")
    ] = False,
    spi: Annotated[bool, typer.Option("--spi", help="Into the board's flash memory.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the command.")] = False,
) -> None:
    """Write the bitstream to the board with openFPGALoader.

    Without an option it goes where that board usually keeps it.
    """
    from ..boards.flash import flash as write
    from ..console import next_step, out
    from ..errors import UsageError
    from ..workspace import Workspace

    if sram and spi:
        raise UsageError("Give --sram or --spi, not both")
    target: Literal["sram", "spi"] | None = "sram" if sram else "spi" if spi else None
    board = Workspace(directory).board()
    command = write(directory, board, target=target, dry_run=dry_run)
    out.print(command, markup=False)
    if not dry_run:
        next_step("lutformer", "run", directory, "--port", "DEVICE", "--index", "0")
