"""``lutformer run``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import Generated, Port, Seed, Temperature, TopK, Virtual, Waves, check_board

if TYPE_CHECKING:
    from ..model.network.gpt import Gpt
    from ..model.network.stored_network import StoredNetwork
    from ..model.sampling import Sampling
    from ..workspace import Workspace

__all__ = ["EXAMPLES", "run"]

EXAMPLES = (
    "lutformer run build/digits-icebreaker --virtual --index 0 --index 1",
    "lutformer run build/digits-icebreaker --virtual digit.png --waves fst",
    "lutformer run build/digits-icebreaker --port /dev/ttyUSB1 images.npy --raw",
    "lutformer run build/dwn-icebreaker --virtual rows.csv",
    'lutformer run build/gpt-icebreaker --virtual --prompt "ROMEO:" --tokens 200',
)


def run(
    directory: Generated,
    images: Annotated[
        list[Path] | None,
        typer.Argument(help="Image files of the right size, .npy or .npz; .csv for rows."),
    ] = None,
    virtual: Virtual = False,
    port: Port = None,
    index: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Number of a held-out input, from 0; repeatable."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The dataset of --index, if it is your own file.")
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Arrays hold pixels in the range of the dataset, not bytes."),
    ] = False,
    prompt: Annotated[
        str | None,
        typer.Option(help="Text for a decoder to continue; empty for the beginning of a line."),
    ] = None,
    tokens: Annotated[int, typer.Option(min=1, help="Characters to generate.")] = 200,
    temperature: Temperature = 0.8,
    top_k: TopK = 0,
    seed: Seed = 1,
    waves: Waves = None,
) -> None:
    """Classify or generate text, on the board or a virtual one.

    Inputs are images, or rows of features for a weightless classifier. Prints the class, the
    cycles, their time on the board, and the scores of all classes. With --prompt, a decoder
    generates text, and nothing else goes to standard output. Every answer is compared with the
    golden run.
    """
    from ..errors import UsageError
    from ..families import family_of
    from ..session.generation import sampling_of
    from ..workspace import Workspace

    check_board(virtual, port)
    if waves is not None and not virtual:
        raise UsageError("--waves needs a simulation: give --virtual as well")
    workspace = Workspace(directory)
    file = None if waves is None else workspace.path / "virtual_board" / f"waves.{waves}"
    network = workspace.stored_network()
    if prompt is not None:
        if images or index:
            raise UsageError("Give a --prompt for text, or inputs to classify, not both")
        decoder = family_of(network).text_network(network)
        sampling = sampling_of(decoder, temperature, top_k, seed)
        _speak(workspace, decoder, port, prompt, tokens, sampling, file)
        return
    _classify(workspace, network, port, images or [], index or [], data, raw, file)


def _speak(
    workspace: "Workspace",
    network: "Gpt",
    port: str | None,
    prompt: str,
    tokens: int,
    sampling: "Sampling",
    waves: Path | None,
) -> None:
    """Print the board's continuation of a prompt, its speed, and the golden run's verdict."""
    from ..console import notes
    from ..errors import NotEqual
    from ..session.generation import Spoken, routed_mhz, speak, speaking

    spoken = Spoken()
    start = network.vocabulary.prompt(prompt).tolist()
    with speaking(workspace, network, port, waves) as board:
        typer.echo(prompt, nl=False)
        for text in speak(board, network, start, tokens, sampling, spoken):
            typer.echo(text, nl=False)
            sys.stdout.flush()
    typer.echo()
    _tell_waves(waves)
    clocks = {"the board's clock": workspace.plan().clock_hz / 1e6, "routed": routed_mhz(workspace)}
    for name, mhz in clocks.items():
        if mhz is not None:
            rate = spoken.per_second(mhz * 1e6)
            notes.print(f"{rate:.0f} tokens a second at {mhz:g} MHz ({name}), without the link")
    notes.print(
        f"{spoken.tokens} tokens, {spoken.taken} taken in, {spoken.cycles} cycles; here "
        f"{spoken.tokens / max(spoken.seconds, 1e-9):.1f} tokens a second"
    )
    if spoken.wrong:
        raise NotEqual(
            f"{len(spoken.wrong)} of {spoken.tokens} tokens differ from the golden run, "
            f"number {spoken.wrong[0]} first"
        )
    notes.print(f"All {spoken.tokens} tokens match the golden run")


def _classify(
    workspace: "Workspace",
    network: "StoredNetwork",
    port: str | None,
    images: list[Path],
    index: list[int],
    data: Path | None,
    raw: bool,
    waves: Path | None,
) -> None:
    """Classify inputs on the board and print the results."""
    from ..console import notes, out, table
    from ..errors import NotEqual
    from ..families import family_of
    from ..families.requests import questions
    from ..session.client import ask, connected

    names = family_of(network).class_names(network)
    asked = questions(network, images, index, data, raw=raw)
    clock_hz = workspace.plan().clock_hz
    with (
        notes.status("Waiting for the board"),
        connected(workspace, network, port, waves) as board,
    ):
        answers = list(ask(board, network, asked.inputs))
    _tell_waves(waves)
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
    out.print(f"All {len(answers)} answers match the golden run")


def _tell_waves(waves: Path | None) -> None:
    from ..console import notes

    if waves is not None:
        notes.print(f"Waves: {waves}", markup=False)


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.2f} us"
