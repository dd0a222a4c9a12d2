"""A simulated board that advances only on command, so that runs repeat to the cycle."""

import struct
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from lutformer.errors import LutformerError

from .board_program import board_program

__all__ = ["SteppedBoard"]

WORD = struct.Struct("<I")


class SteppedBoard:
    """Simulates a board top in steps; its serial line is that of a virtual board.

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

    Attributes
    ----------
    cycles : int
        How many have gone by.
    """

    def __init__(
        self,
        verilog: str | Path,
        *,
        top: str = "lutformer_top",
        divisor: int,
        build_dir: str | Path,
    ) -> None:
        self.cycles = 0
        program = board_program("stepped_board", Path(verilog), top, Path(build_dir))
        self._process = subprocess.Popen(
            [str(program), str(divisor)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # an interrupt at the keyboard is for the host program
        )

    def __enter__(self) -> "SteppedBoard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()  # closes its standard input

    def run(self, data: bytes, most: int) -> bytes:
        """Send ``data``, go on for ``most`` cycles or until bytes have come; return these.

        Raises
        ------
        LutformerError
            If the simulator has ended.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with suppress(BrokenPipeError):
            stdin.write(WORD.pack(len(data)) + data + WORD.pack(most))
            stdin.flush()
        head = stdout.read(2 * WORD.size)
        if len(head) < 2 * WORD.size:
            raise LutformerError(f"The simulated board ended with {self._process.wait()}")
        cycles, size = struct.unpack("<II", head)
        self.cycles += cycles
        return stdout.read(size)
