"""``lutformer flash``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["EXAMPLES", "flash"]

EXAMPLES = (
    "lutformer flash build/digits-icebreaker",
    "lutformer flash build/digits-icebreaker --dry-run",
    "lutformer flash build/digits-icebreaker --spi --verify",
    "lutformer flash build/digits-ulx3s_85f --detect",
    "lutformer flash build/digits-ulx3s_85f --sram",
)


def flash(
    directory: Annotated[Path, typer.Argument(help="Build directory of `lutformer build`.")],
    sram: Annotated[
        bool, typer.Option("--sram", help="Write to the chip, until power is lost.")
    ] = False,
    spi: Annotated[bool, typer.Option("--spi", help="Write to the board's flash memory.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read the flash memory back and compare.")
    ] = False,
    detect: Annotated[
        bool, typer.Option("--detect", help="Only check whether the board is connected.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the command.")] = False,
) -> None:
    """Write the bitstream to the board.

    Uses openFPGALoader, or tinyprog for the TinyFPGA BX. Without --sram or --spi, it writes to the
    board's usual target. Over JTAG (ECP5), the chip is identified first, and nothing is written if
    it is not the board's.
    """
    import shlex

    from ..boards.host.flash import detect as find
    from ..boards.host.flash import detect_command
    from ..boards.host.flash import flash as write
    from ..console import next_step, notes, out
    from ..errors import UsageError
    from ..workspace import Workspace

    if sram and spi:
        raise UsageError("Give --sram or --spi, not both")
    board = Workspace(directory).board()
    if detect:
        answer = shlex.join(detect_command(board)) if dry_run else find(board)
        out.print(answer, markup=False)
        return
    target: Literal["sram", "spi"] | None = "sram" if sram else "spi" if spi else None
    command = write(directory, board, target=target, verify=verify, dry_run=dry_run)
    out.print(command, markup=False)
    if not dry_run:
        next_step("lutformer", "run", directory, "--port", "DEVICE", "--index", "0")
    elif board.hint:
        notes.print(board.hint, markup=False)
