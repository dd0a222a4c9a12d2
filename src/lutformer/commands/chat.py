"""``lutformer chat``."""

from typing import Annotated

import typer

from ..options import Generated, Port, Seed, Temperature, TopK, Virtual, check_board

__all__ = ["EXAMPLES", "chat"]

EXAMPLES = (
    "lutformer chat build/gpt-icebreaker --virtual",
    "lutformer chat build/gpt-ulx3s --port /dev/ttyUSB0 --temperature 0.6",
)


def chat(
    directory: Generated,
    virtual: Virtual = False,
    port: Port = None,
    tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in characters.")] = 200,
    temperature: Temperature = 0.8,
    top_k: TopK = 0,
    seed: Seed = 1,
) -> None:
    """Chat with a decoder on the board, or on a virtual one.

    You write a line, and the board continues the text until the end of the next line. All lines are
    one text, of which the board remembers as much as its context holds. Ctrl-C stops an answer,
    Ctrl-D ends the chat, and /help lists more commands.
    """
    from ..families import family_of
    from ..session.chat import Chat
    from ..session.generation import sampling_of, speaking
    from ..workspace import Workspace

    check_board(virtual, port)
    workspace = Workspace(directory)
    stored = workspace.stored_network()
    network = family_of(stored).text_network(stored)
    sampling = sampling_of(network, temperature, top_k, seed)
    with speaking(workspace, network, port) as board:
        Chat(board, network, sampling, tokens).talk()
