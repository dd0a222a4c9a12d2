"""The commands that write a board, and what is said when they fail; no board is attached here.

The stand-in for openFPGALoader prints what the real one (1.1.1) prints: copied from runs of it
where no board is needed, and from the formats in its program where one is.
"""

import re
import subprocess

import pytest

from lutformer.boards.board import board, boards
from lutformer.boards.build.bitstream import bitstream_name
from lutformer.boards.host import programmer
from lutformer.boards.host.flash import detect, detect_command, flash, flash_command
from lutformer.errors import FlashFailed, ToolMissing, UsageError

ICEBREAKER, ULX3S, ORANGECRAB = board("icebreaker"), board("ulx3s_85f"), board("orangecrab_25f")
TINYFPGA, COLORLIGHT = board("tinyfpga_bx"), board("colorlight_i5")
NO_FTDI = (
    "empty\nunable to open ftdi device: -3 (device not found)\n"
    "JTAG init failed with: unable to open ftdi device\n"
)
NO_SPI = "unable to open ftdi device: -3 (device not found)\nError: Failed to claim cable\n"
NO_DFU = (
    "empty\nOpen file : bypassed\nOpen device 1209:5af0 Not found\n"
    "DFU init failed with: No DFU compatible device found\n"
)
NO_TINYFPGA = (
    "    No port was specified and no active bootloaders found.\n"
    "    Activate bootloader by pressing the reset button.\n"
)
NO_CMSISDAP = (
    "Jtag: support for cmsisdap was not enabled at compile time\n"
    "JTAG init failed with: std::exception\n"
)
REFUSED = (
    "unable to open ftdi device: -4 (usb_open() failed)\n"
    "JTAG init failed with: unable to open ftdi device\n"
)
BUSY = "unable to open ftdi device: -5 (unable to claim usb device.)\n"
NO_LIBRARY = "error while loading shared libraries: libusb-1.0.so.0: cannot open shared object\n"
RULE = 'ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6015", MODE="0660", TAG+="uaccess"'


def chain(code, model):
    """Return what `--detect` prints about a chip of a JTAG chain."""
    return (
        f"index 0:\n\tidcode 0x{code:x}\n\tmanufacturer lattice\n\tfamily ECP5\n"
        f"\tmodel  {model}\n\tirlength 8\n"
    )


@pytest.fixture
def built(tmp_path):
    """Return a directory that looks as if every board had been built in it."""
    directory = tmp_path / "a build"
    for found in boards():
        (directory / found.name).mkdir(parents=True)
        (directory / found.name / bitstream_name(found)).write_bytes(b"bits")
    return directory


@pytest.fixture
def loader(tmp_path, monkeypatch):
    """Return a maker of stand-ins: what they print and exit with, asked and writing.

    The maker returns a function that tells the commands that came.
    """

    def make(*, asked=("", 0), writes=("", 0)):
        program = tmp_path / "openFPGALoader"
        for name, (said, _) in (("asked", asked), ("writes", writes)):
            (tmp_path / name).write_text(said)
        program.write_text(
            f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
            f'case " $* " in *" --detect "*|*" --list "*) cat {tmp_path}/asked; exit {asked[1]};; '
            f"esac\ncat {tmp_path}/writes; exit {writes[1]}\n"
        )
        program.chmod(0o755)
        monkeypatch.setattr("lutformer.boards.host.flash.program", lambda board: program)
        calls = tmp_path / "calls"
        return lambda: calls.read_text().splitlines() if calls.exists() else []

    return make


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("icebreaker", ["--board", "ice40_generic", "--write-flash"]),
        ("upduino_v3", ["--board", "ice40_generic", "--cable", "ft232", "--write-flash"]),
        ("icebreaker_bitsy", ["--board", "icebreaker-bitsy"]),
        ("ulx3s_85f", ["--board", "ulx3s", "--write-sram"]),
        ("ecpix5_45f", ["--board", "ecpix5", "--write-sram"]),
        ("orangecrab_25f", ["--board", "orangeCrab"]),
        ("tinyfpga_bx", ["--program"]),
    ],
)
def test_command_of_each_board(name, options, built, loader):
    loader()
    _, *found = flash_command(built, board(name))
    assert found == [*options, str(built / name / bitstream_name(board(name)))]


def test_dry_run_says_the_command_and_runs_nothing(built, loader, tmp_path):
    calls = loader(writes=("", 1))
    said = flash(built, ICEBREAKER, target="sram", dry_run=True)
    bits = built / "icebreaker" / "top.bin"
    assert said == f"{tmp_path}/openFPGALoader --board ice40_generic --write-sram '{bits}'"
    assert calls() == []


@pytest.fixture(scope="session")
def real():
    """Return a function that runs the real openFPGALoader with an option and returns its words."""
    path = str(programmer.program(ULX3S))

    def run(option):
        done = subprocess.run([path, option], capture_output=True, text=True, check=False)
        if "shared libraries" in done.stderr:
            pytest.skip("openFPGALoader's system libraries are not installed")
        return set(done.stdout.replace(",", " ").split())

    return run


def test_loader_knows_the_boards_and_cables(real):
    assert {b.loader for b in boards() if b.loader} <= real("--list-boards")
    assert {b.cable for b in boards() if b.cable} <= real("--list-cables")


def test_loader_knows_the_chips(real):
    codes = {f"0x{b.idcode:08x}" for b in boards() if b.idcode is not None}
    assert len(codes) == 5
    assert codes <= real("--list-fpga")


def test_loader_has_the_options(real, built):
    passed = set()
    for found in boards():
        for target in found.targets if found.loader else ():
            verify = target == "spi" and found.method != "dfu"
            passed |= set(flash_command(built, found, target=target, verify=verify))
            passed |= set(detect_command(found))
    options = {word for word in passed if word.startswith("--")}
    assert options == {
        "--board",
        "--cable",
        "--detect",
        "--verify",
        "--write-flash",
        "--write-sram",
    }
    assert options <= real("--help")


def test_loader_says_what_is_looked_for():
    program = programmer.program(ULX3S).read_bytes()
    for words in (
        b"unable to open ftdi device: %d (%s)",
        b"No DFU compatible device found",
        b"support for cmsisdap was not enabled",
        b"Verification failed at ",
        b"\tidcode 0x%x\n\tmanufacturer %s\n\tfamily %s\n\tmodel  %s\n",
    ):
        assert words in program, words


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (chain(0x41113043, "LFE5U-85"), "LFE5U-85 is there (IDCODE 0x41113043), as"),
        (
            "index 0:\n\tidcode   0x4ba00477\n\ttype     ARM\n\tirlength 4\n"
            + chain(0x41113043, "LFE5U-85"),
            "LFE5U-85 is there (IDCODE 0x41113043), as",
        ),
    ],
)
def test_chip_of_the_board_is_detected_and_written(words, answer, built, loader):
    calls = loader(asked=(words, 0), writes=("Loading: 100.00%\nDone\n", 0))
    assert detect(ULX3S).startswith(answer)
    assert "--write-sram" in flash(built, ULX3S)
    assert ["--detect" in call for call in calls()] == [True, True, False]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            chain(0x41111043, "LFE5U-25"),
            (
                r"^Not written: Radiona ULX3S 85F has LFE5U-85F \(IDCODE 0x41113043\), but "
                r"connected is LFE5U-25 \(IDCODE 0x41111043\); generate for --board ulx3s_25f$"
            ),
        ),
        (
            chain(0x81113043, "LFE5UM5G-85"),
            r"connected is LFE5UM5G-85 \(IDCODE 0x81113043\); connect the right board, or give ",
        ),
        ("empty\n", r"but connected is no chip that answers; connect the right board"),
    ],
)
def test_other_chip_is_not_written(words, message, built, loader):
    calls = loader(asked=(words, 0))
    with pytest.raises(FlashFailed, match=message):
        flash(built, ULX3S)
    assert len(calls()) == 1  # asked, not written


def test_what_cannot_tell_its_chip_is_detected_by_its_usb_device(loader):
    loader(asked=("empty\n", 0))
    assert detect(ICEBREAKER).startswith("A USB device 0403:6010 is there, as 1BitSquared iCE")
    assert detect(ORANGECRAB) == "A bootloader of OrangeCrab 25F is there (USB 1209:5af0)"
    assert detect(TINYFPGA) == "A bootloader of TinyFPGA BX is there (USB 1d50:6130)"


@pytest.mark.parametrize(
    ("target", "said", "kind", "message"),
    [
        (
            ULX3S,
            NO_FTDI,
            FlashFailed,
            (
                r"^No Radiona ULX3S 85F was found on USB \(it shows as 0403:6015\); connect it and "
                r"try again$"
            ),
        ),
        (ICEBREAKER, NO_SPI, FlashFailed, r"^No 1BitSquared iCEBreaker was found on USB"),
        (
            ORANGECRAB,
            NO_DFU,
            FlashFailed,
            (
                r"^No OrangeCrab 25F was found on USB \(it shows as 1209:5af0\); connect it and "
                r"try again \(Hold the button while you plug it in"
            ),
        ),
        (TINYFPGA, NO_TINYFPGA, FlashFailed, r"^No TinyFPGA BX was found on USB .*\(Press the"),
        (
            ULX3S,
            REFUSED,
            FlashFailed,
            (
                r"^This user may not open Radiona ULX3S 85F \(USB 0403:6015\); put the line "
                rf"`{re.escape(RULE)}` into /etc/udev/rules\.d/70-lutformer\.rules, run `udevadm"
            ),
        ),
        (ICEBREAKER, BUSY, FlashFailed, r"^Another program holds the USB device 0403:6010 of 1B"),
        (COLORLIGHT, NO_CMSISDAP, ToolMissing, r"cannot use the probe of Colorlight i5 \(CMSIS-"),
        (
            ICEBREAKER,
            NO_LIBRARY,
            ToolMissing,
            r"^openFPGALoader needs two system libraries; run `apt-get install -y libusb-1\.0-0",
        ),
        (ICEBREAKER, "something\nstrange\n", FlashFailed, r"could not be written: strange$"),
        (ICEBREAKER, "", FlashFailed, r"could not be written: exit status 1$"),
    ],
)
def test_failure_is_one_sentence(target, said, kind, message, built, loader):
    loader(asked=(said, 1), writes=(said, 1))
    with pytest.raises(kind, match=message) as caught:
        flash(built, target)
    assert "\n" not in str(caught.value)
    with pytest.raises(kind, match=message):
        detect(target)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Parse file DONE\nWait for CDONE FAIL\n", r"^Written, but the chip does not start from"),
        ("Verification failed at 4096\n", r"^The flash memory of 1BitSquared iCEBreaker does not"),
        ("Parse file FAIL\n", r"could not be written: Parse file FAIL$"),
        ("    Failure!\n", r"could not be written: Failure!$"),  # tinyprog
    ],
)
def test_failure_is_found_where_the_exit_status_is_zero(said, message, built, loader):
    loader(writes=(said, 0))
    with pytest.raises(FlashFailed, match=message):
        flash(built, ICEBREAKER)


def test_device_that_the_system_lists_but_nobody_may_open(built, loader, tmp_path, monkeypatch):
    device = tmp_path / "usb" / "1-1"
    device.mkdir(parents=True)
    (device / "idVendor").write_text("1209\n")
    (device / "idProduct").write_text("5af0\n")
    monkeypatch.setattr(programmer, "_USB", tmp_path / "usb")
    loader(asked=(NO_DFU, 1), writes=(NO_DFU, 1))
    with pytest.raises(FlashFailed, match=r"^This user may not open OrangeCrab 25F \(USB 1209:5"):
        flash(built, ORANGECRAB)


def test_program_on_the_path_comes_first(tmp_path, monkeypatch):
    mine = tmp_path / "openFPGALoader"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programmer.program(ULX3S) == mine


def test_missing_program_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(programmer.shutil, "which", lambda name, path=None: None)
    with pytest.raises(ToolMissing, match=r"^tinyprog is not installed; run `pip install tinypro"):
        programmer.program(TINYFPGA)


def test_no_bitstream_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"^No bitstream at .*: run `lutformer build` first$"):
        flash(tmp_path, ICEBREAKER)


@pytest.mark.parametrize(
    ("target", "name", "message"),
    [
        ("sram", "orangecrab_25f", r"cannot be written to 'sram': choose spi$"),
        ("sram", "ulx3s_85f", r"cannot be read back from SRAM: leave out --verify$"),
        ("spi", "orangecrab_25f", r"cannot be read back through its bootloader: leave out --"),
    ],
)
def test_what_the_board_cannot_do_is_refused(target, name, message, built):
    with pytest.raises(UsageError, match=message):
        flash(built, board(name), target=target, verify=True)
