"""Writing a bitstream to a board, and asking first whether it is that board."""

import re
import shlex
from pathlib import Path
from typing import Literal

from lutformer.errors import FlashFailed, UsageError

from ..board import Board, boards
from ..build.bitstream import bitstream_name
from .programmer import program, run_program

__all__ = ["Target", "detect", "detect_command", "flash", "flash_command"]

Target = Literal["sram", "spi"]


def flash(
    build_dir: Path,
    board: Board,
    *,
    target: Target | None = None,
    verify: bool = False,
    dry_run: bool = False,
) -> str:
    """Write the bitstream of ``build_dir`` to ``board``; return the command, quoted for a shell.

    ``sram`` lasts until the power goes, ``spi`` is the board's flash memory; without a target it
    is the board's usual one. Over JTAG the chip is asked first what it is. ``verify`` reads the
    flash memory back. ``dry_run`` runs nothing.

    Raises
    ------
    UsageError
        There is no bitstream, or the board has no such target, or nothing can read it back.
    ToolMissing
        The program that writes it, or one of its libraries, is not installed.
    FlashFailed
        There is no board, another one, or no permission, or the transfer failed.
    """
    command = flash_command(build_dir, board, target=target, verify=verify)
    if not dry_run:
        if board.method == "jtag":
            detect(board)
        run_program(command, board)
    return shlex.join(command)


def flash_command(
    build_dir: Path, board: Board, *, target: Target | None = None, verify: bool = False
) -> list[str]:
    """Return the command that writes the bitstream of ``build_dir`` to ``board``."""
    target = target or board.targets[0]
    if target not in board.targets:
        choices = " or ".join(board.targets)
        raise UsageError(f"{board.title} cannot be written to {target!r}: choose {choices}")
    if verify and (target != "spi" or board.method not in ("jtag", "spi")):
        where = "from SRAM" if target == "sram" else "through its bootloader"
        raise UsageError(f"{board.title} cannot be read back {where}: leave out --verify")
    bitstream = build_dir / board.name / bitstream_name(board)
    if not bitstream.is_file():
        raise UsageError(f"No bitstream at {str(bitstream)!r}: run `lutformer build` first")
    if board.method == "tinyprog":
        return [str(program(board)), "--program", str(bitstream)]
    options = [] if board.method == "dfu" else [f"--write-{'flash' if target == 'spi' else 'sram'}"]
    return [*_loader(board), *options, *["--verify"] * verify, str(bitstream)]


def detect_command(board: Board) -> list[str]:
    """Return the command that identifies the connected chip and writes nothing."""
    if board.method == "tinyprog":
        return [str(program(board)), "--list"]
    return [*_loader(board), "--detect"]


def detect(board: Board) -> str:
    """Ask whether ``board`` is connected; return the answer, a sentence.

    Raises
    ------
    ToolMissing
        The program that asks, or one of its libraries, is not installed.
    FlashFailed
        No board is connected, or another one, or this user may not ask it.
    """
    said = run_program(detect_command(board), board)
    if board.method == "spi":
        return (
            f"A USB device {board.usb} is there, as {board.title} has; an {board.family} has no "
            "identity code, so that nothing more can be asked"
        )
    if board.idcode is None:
        return f"A bootloader of {board.title} is there (USB {board.usb})"
    found = _idcodes(said)
    if board.idcode in found:
        return f"{found[board.idcode]} is there (IDCODE 0x{board.idcode:08x}), as {board.title} has"
    chips = " and ".join(f"{model} (IDCODE 0x{code:08x})" for code, model in found.items())
    raise FlashFailed(
        f"Not written: {board.title} has {board.device} (IDCODE 0x{board.idcode:08x}), but "
        f"connected is {chips or 'no chip that answers'}; {_advice(found, board)}"
    )


def _loader(board: Board) -> list[str]:
    cable = ["--cable", board.cable] if board.cable else []
    return [str(program(board)), "--board", board.loader, *cable]


def _idcodes(said: str) -> dict[int, str]:
    """Return the model of each chip of the JTAG chain by its code, as openFPGALoader lists them."""
    pattern = r"idcode\s+(0x[0-9a-f]+)(?:(?!index).)*?model\s+(\S+)"
    return {int(code, 16): model for code, model in re.findall(pattern, said, re.DOTALL)}


def _advice(found: dict[int, str], board: Board) -> str:
    """Return advice about a wrong chip: the names of boards that have it, if any."""
    names = [b.name for b in boards() if b.idcode in found and b.loader == board.loader]
    if names:
        return f"generate for --board {' or '.join(names)}"
    return "connect the right board, or give another one to `lutformer generate`"
