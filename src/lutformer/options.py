"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from .errors import UsageError

__all__ = ["Generated", "Port", "Seed", "Temperature", "TopK", "Virtual", "Waves", "check_board"]

Generated = Annotated[Path, typer.Argument(help="Build directory of `lutformer generate`.")]
Virtual = Annotated[
    bool, typer.Option("--virtual", help="Simulate the board: its Verilog, UART included.")
]
Waves = Annotated[
    Literal["vcd", "fst"] | None, typer.Option(help="Also write all signals, in this format.")
]
Port = Annotated[str | None, typer.Option(help="Serial port of the board.")]
Temperature = Annotated[
    float, typer.Option(min=0, help="0: always the most likely character; 1: as learned.")
]
TopK = Annotated[
    int, typer.Option(min=0, help="Sample from the k most likely characters; 0: from all.")
]
Seed = Annotated[int, typer.Option(min=1, help="Seed of the sampling on the board.")]


def check_board(virtual: bool, port: str | None) -> None:
    """Check that exactly one board is given, real or virtual.

    Raises
    ------
    UsageError
        If neither or both are given.
    """
    if virtual == (port is not None):
        raise UsageError("Give --virtual, or the --port of a board")
