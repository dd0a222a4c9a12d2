"""``lutformer run``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "run"]

EXAMPLES = (
    "lutformer run build/digits-icebreaker --virtual --index 0 --index 1",
    "lutformer run build/digits-icebreaker --virtual digit.png",
    "lutformer run build/digits-icebreaker --port /dev/ttyUSB1 images.npy --raw",
    "lutformer run build/dwn-icebreaker --virtual rows.csv",
)


def run(
    directory: Annotated[Path, typer.Argument(help="Made by `lutformer generate`.")],
    images: Annotated[
        list[Path] | None,
        typer.Argument(help="Pictures of the right size, .npy or .npz files; .csv for rows."),
    ] = None,
    virtual: Annotated[
        bool, typer.Option("--virtual", help="No board: simulate its Verilog, UART and all.")
    ] = False,
    port: Annotated[str | None, typer.Option(help="Serial port of the board.")] = None,
    index: Annotated[
        list[int] | None, typer.Option(min=0, help="A held-out input of the dataset, from 0.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The dataset of --index, if it is your own file.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Pixels of arrays are those of the dataset, not bytes.")
    ] = False,
) -> None:
    """Classify inputs on the board, or on a virtual one.

    Inputs are images, or rows of features for a weightless classifier. Compares each answer with
    the golden run. Prints class, cycles, the time that they take on the board, and the scores of
    all classes.
    """
    from ..asking import ask, connected
    from ..console import notes, out, table
    from ..equality import NotEqual
    from ..errors import UsageError
    from ..model.class_names import class_names
    from ..questions import questions
    from ..workspace import Workspace

    if virtual == (port is not None):
        raise UsageError("Give --virtual, or the --port of a board")
    workspace = Workspace(directory)
    network = workspace.stored_network()
    asked = questions(network, images or [], index or [], data, raw=raw)
    clock_hz, names = workspace.plan().clock_hz, class_names(network)
    with (
        notes.status("Waiting for the board"),
        connected(workspace, network, port) as board,
    ):
        answers = list(ask(board, network, asked.inputs))
    table(
        ("input", "class", "cycles", "time on the board", "scores"),
        [
            (
                name,
                names[min(answer.class_index, len(names) - 1)],
                answer.cycles,
                _duration(answer.cycles / clock_hz),
                " ".join(map(str, answer.logits)),
            )
            for name, answer in zip(asked.names, answers, strict=True)
        ],
    )
    wrong = sum(not answer.exact for answer in answers)
    if wrong:
        raise NotEqual(f"{wrong} of {len(answers)} answers differ from the golden run")
    out.print(f"All {len(answers)} answers are those of the golden run")


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.2f} us"
