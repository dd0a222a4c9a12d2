"""``lutformer chat``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "chat"]

EXAMPLES = (
    "lutformer chat build/gpt-icebreaker --virtual",
    "lutformer chat build/gpt-ulx3s --port /dev/ttyUSB0 --temperature 0.6",
)


def chat(
    directory: Annotated[Path, typer.Argument(help="Made by `lutformer generate`.")],
    virtual: Annotated[
        bool, typer.Option("--virtual", help="No board: simulate its Verilog, UART and all.")
    ] = False,
    port: Annotated[str | None, typer.Option(help="Serial port of the board.")] = None,
    tokens: Annotated[int, typer.Option(min=1, help="Characters of an answer at most.")] = 200,
    temperature: Annotated[
        float, typer.Option(min=0, help="0: always the likeliest character; 1: as it was learned.")
    ] = 0.8,
    top_k: Annotated[
        int, typer.Option(min=0, help="Choose among the k likeliest characters; 0: among all.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=1, help="Of the choice, made on the board.")] = 1,
) -> None:
    """Talk with a decoder on the board, or on a virtual one.

    You write a line, the board goes on with the text until the line after it
    ends. The text goes on from line to line: the board remembers as much of it
    as its context holds. Ctrl-C stops an answer, Ctrl-D ends the talk. /help
    lists what else there is.
    """
    from ..chatting import Chat
    from ..errors import UsageError
    from ..texting import sampling_of, speaking, text_network
    from ..workspace import Workspace

    if virtual == (port is not None):
        raise UsageError("Give --virtual, or the --port of a board")
    workspace = Workspace(directory)
    network = text_network(workspace.stored_network())
    sampling = sampling_of(network, temperature, top_k, seed)
    with speaking(workspace, network, port) as board:
        Chat(board, network, sampling, tokens).talk()
