"""A board without a board: the emitted top, compiled, behind a pseudo-terminal."""

import hashlib
import os
import subprocess
import tempfile
import tty
from pathlib import Path
from types import TracebackType

from lutformer.errors import BuildFailed, LutformerError

from .tools import Verilator, find_verilator

__all__ = ["VirtualBoard", "VirtualBoardDied"]

HARNESS = Path(__file__).with_name("virtual_board.cpp")
FLAGS = ["--cc", "--exe", "--build", "-j", "2", "-O3", "--x-assign", "fast", "--x-initial", "fast"]
FLAGS += ["--noassert", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--prefix", "Vboard"]
FLAGS += ["-CFLAGS", "-std=c++20", "-o", "virtual_board", "-Mdir", "objects"]
STOP_SECONDS = 5


class VirtualBoardDied(LutformerError):
    """The simulator of the board ended by itself."""


class VirtualBoard:
    """Simulates a board top and offers its serial line as a pseudo-terminal.

    ``with VirtualBoard(...) as port, Board.open(port) as board: ...``

    The simulator is compiled once for each content of ``verilog`` and kept in ``build_dir``. While
    an answer is owed it runs as fast as it can; otherwise it idles.

    Parameters
    ----------
    verilog : Path
        The emitted top with ports ``clk``, ``rst``, ``rx`` and ``tx``; further outputs are ignored.
    top : str
        Its module name.
    divisor : int
        Clock cycles a bit of its serial line.
    build_dir : Path
        Where the compiled simulator is kept.
    waves : Path, optional
        Write the waveform there (VCD).

    Raises
    ------
    ToolMissing
        When Verilator or the C++ compiler is missing.
    BuildFailed
        When the Verilog does not compile.
    """

    def __init__(
        self,
        verilog: str | Path,
        *,
        top: str = "lutformer_top",
        divisor: int,
        build_dir: str | Path,
        waves: str | Path | None = None,
    ) -> None:
        self.divisor = divisor
        self.waves = None if waves is None else Path(waves).absolute()
        self.program = _build(Path(verilog), top, Path(build_dir), traced=waves is not None)
        self._process: subprocess.Popen[bytes] | None = None
        self._files: list[int] = []

    def __enter__(self) -> str:
        """Start the board and return the path of its serial port."""
        master, slave = os.openpty()
        self._files = [master, slave]  # an open slave keeps the line up while no host has it open
        tty.setraw(slave)
        os.set_blocking(master, False)
        command = [str(self.program), str(master), str(self.divisor)]
        self._process = subprocess.Popen(
            command if self.waves is None else [*command, str(self.waves)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[master],
            start_new_session=True,  # an interrupt at the keyboard is for the host program
        )
        return os.ttyname(slave)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        assert process is not None
        try:
            _, message = process.communicate(timeout=STOP_SECONDS)  # closes its standard input
        except subprocess.TimeoutExpired:
            process.kill()
            _, message = process.communicate()
        for file in self._files:
            os.close(file)
        self._files = []
        if process.returncode != 0 and error is None:
            text = message.decode(errors="replace").strip()
            raise VirtualBoardDied(f"The virtual board ended with {process.returncode}: {text}")

    @property
    def running(self) -> bool:
        """Whether the simulator is alive."""
        return self._process is not None and self._process.poll() is None


def _build(verilog: Path, top: str, build_dir: Path, *, traced: bool) -> Path:
    verilator = find_verilator()
    flags = [*FLAGS, "--top-module", top, *(["--trace"] if traced else [])]
    content = [verilog.read_bytes(), HARNESS.read_bytes(), repr(flags).encode()]
    key = hashlib.sha256(b"\0".join(content)).hexdigest()[:16]
    program = build_dir / f"virtual_board-{key}"
    if not program.exists():
        build_dir.mkdir(parents=True, exist_ok=True)
        _compile(verilog, flags, program, verilator)
    return program.absolute()


def _compile(verilog: Path, flags: list[str], program: Path, verilator: Verilator) -> None:
    # Elsewhere, for make refuses paths with white space; the program appears in one step.
    with tempfile.TemporaryDirectory(prefix="lutformer-") as scratch:
        sources = [Path(scratch) / "board.v", Path(scratch) / HARNESS.name]
        for source, origin in zip(sources, (verilog, HARNESS), strict=True):
            source.write_bytes(origin.read_bytes())
        result = subprocess.run(
            [str(verilator.executable), *flags, *map(str, sources)],
            cwd=scratch,
            env={**os.environ, **verilator.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if result.returncode != 0:
            text = result.stdout.decode(errors="replace")[-2000:]
            raise BuildFailed(f"Verilator did not build {str(verilog)!r}:\n{text}")
        for stale in program.parent.glob("virtual_board-*"):
            stale.unlink()
        fresh = program.with_suffix(".new")
        fresh.write_bytes((Path(scratch) / "objects" / "virtual_board").read_bytes())
        fresh.chmod(0o755)
        fresh.replace(program)
