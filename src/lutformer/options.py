"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from .errors import UsageError

__all__ = ["Generated", "Port", "Seed", "Temperature", "TopK", "Virtual", "Waves", "check_board"]

Generated = Annotated[Path, typer.Argument(help="Made by `lutformer generate`.")]
Virtual = Annotated[
    bool, typer.Option("--virtual", help="No board: simulate its Verilog, UART and all.")
]
Waves = Annotated[
    Literal["vcd", "fst"] | None, typer.Option(help="Also write every signal, in this format.")
]
Port = Annotated[str | None, typer.Option(help="Serial port of the board.")]
Temperature = Annotated[
    float, typer.Option(min=0, help="0: always the likeliest character; 1: as it was learned.")
]
TopK = Annotated[
    int, typer.Option(min=0, help="Choose among the k likeliest characters; 0: among all.")
]
Seed = Annotated[int, typer.Option(min=1, help="Of the choice, made on the board.")]


def check_board(virtual: bool, port: str | None) -> None:
    """Refuse all but one board.

    Raises
    ------
    UsageError
        If none or two are given.
    """
    if virtual == (port is not None):
        raise UsageError("Give --virtual, or the --port of a board")
