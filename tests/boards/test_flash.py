"""The command that writes a board, and what is said when it fails; no board is attached here."""

import subprocess

import pytest

from lutformer.boards import flash as module
from lutformer.boards.board import board, boards
from lutformer.boards.build import bitstream_name
from lutformer.boards.flash import flash, flash_command
from lutformer.errors import FlashFailed, ToolMissing, UsageError

ICEBREAKER = board("icebreaker")
NO_BOARD = "unable to open ftdi device: -3 (device not found)\nError: Failed to claim cable\n"


@pytest.fixture
def built(tmp_path):
    """Return a directory that looks as if both boards had been built in it."""
    directory = tmp_path / "a build"
    for found in boards():
        (directory / found.name).mkdir(parents=True)
        (directory / found.name / bitstream_name(found)).write_bytes(b"bits")
    return directory


@pytest.fixture
def loader(tmp_path, monkeypatch):
    """Return a maker of a stand-in for openFPGALoader that prints and exits as told."""

    def make(said, status):
        program = tmp_path / "openFPGALoader"
        program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}END\nexit {status}\n")
        program.chmod(0o755)
        monkeypatch.setattr(module, "_loader", lambda: program)

    return make


def test_command_of_each_board(built):
    _, *icebreaker = flash_command(built, ICEBREAKER)
    bits = str(built / "icebreaker" / "top.bin")
    assert icebreaker == ["--board", "ice40_generic", "--write-flash", bits]
    _, *ulx3s = flash_command(built, board("ulx3s_85f"))
    bits = str(built / "ulx3s_85f" / "top.bit")
    assert ulx3s == ["--board", "ulx3s", "--write-sram", bits]


def test_dry_run_says_the_command_and_runs_nothing(built, loader, tmp_path):
    loader("", 1)
    said = flash(built, ICEBREAKER, target="sram", dry_run=True)
    bits = built / "icebreaker" / "top.bin"
    assert said == f"{tmp_path}/openFPGALoader --board ice40_generic --write-sram '{bits}'"


def test_loader_knows_the_boards():
    listing = subprocess.run(
        [str(module._loader()), "--list-boards"], capture_output=True, text=True, check=False
    )
    if "shared libraries" in listing.stderr:
        pytest.skip("openFPGALoader's system libraries are not installed")
    known = {line.split()[0] for line in listing.stdout.splitlines() if line.split()}
    assert {found.loader for found in boards()} <= known


def test_success_returns_the_command(built, loader):
    loader("done\n", 0)
    assert "--write-flash" in flash(built, ICEBREAKER)


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        (
            NO_BOARD,
            FlashFailed,
            r"^Not written: no 1BitSquared iCEBreaker was found on USB; connect ",
        ),
        (
            "unable to open ftdi device: -4 (usb_open() failed)\n",
            FlashFailed,
            r"^Not written: this user may not open the USB device .*udev rules",
        ),
        (
            "error while loading shared libraries: libusb-1.0.so.0: cannot open\n",
            ToolMissing,
            r"^openFPGALoader needs two system libraries; run `apt-get install -y libusb-1\.0-0",
        ),
        (
            "something\nstrange\n",
            FlashFailed,
            r"could not write to 1BitSquared iCEBreaker: strange$",
        ),
    ],
)
def test_failure_is_one_sentence(built, loader, said, kind, message):
    loader(said, 1)
    with pytest.raises(kind, match=message):
        flash(built, ICEBREAKER)


def test_no_bitstream_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"^No bitstream at .*: run `lutformer build` first$"):
        flash(tmp_path, ICEBREAKER)


def test_target_that_the_board_lacks_is_refused(built):
    only = ICEBREAKER.model_copy(update={"targets": ("spi",)})
    with pytest.raises(UsageError, match=r"cannot be written to 'sram': choose spi$"):
        flash(built, only, target="sram")
