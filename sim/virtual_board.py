"""A board without a board: the emitted top, compiled, behind a pseudo-terminal."""

import os
import subprocess
import tty
from pathlib import Path
from types import TracebackType

from lutformer.errors import LutformerError

from .board_program import board_program, waves_format

__all__ = ["VirtualBoard", "VirtualBoardDied"]

STOP_SECONDS = 5


class VirtualBoardDied(LutformerError):
    """The simulator of the board did not start, or ended by itself."""


class VirtualBoard:
    """Simulates a board top and offers its serial line as a pseudo-terminal.

    ``with VirtualBoard(...) as port, Board.open(port) as board: ...``

    The simulator is compiled once for each content of ``verilog`` and kept in ``build_dir``, which
    several boards may share. While an answer is owed it runs as fast as it can; otherwise it idles.
    It ends with the ``with`` statement, or when the program that started it ends, however it does.

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
        Write the waveform there; it ends in ``.vcd`` or ``.fst``.

    Raises
    ------
    ToolMissing
        When Verilator or the C++ compiler is missing, or for FST a library that it needs.
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
        self.program = board_program(
            "virtual_board",
            Path(verilog),
            top,
            Path(build_dir),
            waves=None if waves is None else waves_format(Path(waves)),
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._files: list[int] = []

    def __enter__(self) -> str:
        """Start the board and return the path of its serial port."""
        master, slave = os.openpty()
        self._files = [master, slave]  # an open slave keeps the line up while no host has it open
        tty.setraw(slave)
        os.set_blocking(master, False)
        command = [str(self.program), str(master), str(self.divisor)]
        try:
            self._process = subprocess.Popen(
                command if self.waves is None else [*command, str(self.waves)],
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[master],
                start_new_session=True,  # an interrupt at the keyboard is for the host program
            )
        except OSError as error:
            self._close()
            raise VirtualBoardDied(f"The virtual board does not start: {error}") from error
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
        self._close()
        if process.returncode != 0 and error is None:
            text = message.decode(errors="replace").strip()
            raise VirtualBoardDied(f"The virtual board ended with {process.returncode}: {text}")

    def _close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files = []

    @property
    def running(self) -> bool:
        """Whether the simulator is alive."""
        return self._process is not None and self._process.poll() is None
