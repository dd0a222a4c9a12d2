"""Text from a board, real or virtual, each token compared with the golden run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..console import progress
from ..errors import UsageError
from ..model.link.text_session import TextSession
from ..model.network.generation import generate
from ..model.network.gpt import Gpt
from ..model.sampling import Sampler, Sampling
from ..workspace import Workspace
from .client import connected

if TYPE_CHECKING:
    from ..boards.host.text_board import TextBoard

__all__ = ["Spoken", "routed_mhz", "sampling_of", "speak", "speaking"]


@dataclass(kw_only=True)
class Spoken:
    """The text that a board generated.

    Attributes
    ----------
    tokens, taken : int
        Tokens chosen, and tokens taken in: the prompt, and what a new window takes in again.
    cycles : int
    seconds : float
        As the host saw it.
    wrong : list of int
        Which of the tokens, counted from 1, are not those of the golden run.
    """

    tokens: int = 0
    taken: int = 0
    cycles: int = 0
    seconds: float = 0.0
    wrong: list[int] = field(default_factory=list)

    def per_second(self, clock_hz: float) -> float:
        """Return tokens a second at a clock, the link aside."""
        return self.tokens * clock_hz / max(self.cycles, 1)


def sampling_of(network: Gpt, temperature: float, top_k: int, seed: int) -> Sampling:
    """Return how tokens are chosen; ``temperature`` is in nats.

    Raises
    ------
    UsageError
        If there is no such choice.
    """
    try:
        return Sampling(temperature=network.temperature(temperature), top_k=top_k, seed=seed)
    except ValueError as error:
        raise UsageError(f"{error}; see `lutformer run --help`") from error


@contextmanager
def speaking(
    workspace: Workspace, network: Gpt, port: str | None, waves: Path | None = None
) -> "Iterator[TextBoard]":
    """Open a board as :func:`connected` does; load its weights if it must."""
    from ..boards.host.text_board import TextBoard
    from ..hdl.plan.plan import Plan
    from ..hdl.transformer.decoder import stored_weights

    plan = workspace.plan()
    assert isinstance(plan, Plan)
    weights = stored_weights(network, plan) if plan.external_weights else b""
    with connected(workspace, network, port, waves) as board:
        text_board = TextBoard(board, weights)
        if text_board.prepare():
            with progress("loading weights", len(weights)) as advance:
                text_board.load(advance)
        yield text_board


def speak(
    board: "TextBoard",
    network: Gpt,
    prompt: list[int],
    count: int,
    sampling: Sampling,
    spoken: Spoken,
) -> Iterator[str]:
    """Yield ``count`` characters after ``prompt`` as they come; tell of them in ``spoken``."""
    session = TextSession(network=network, text=list(prompt), sampling=sampling, turn=board.turn)
    truth = (step.token for step in generate(network, prompt, Sampler(sampling)))
    for piece in board.go_on(session, count):
        expected = list(islice(truth, len(piece.tokens)))
        numbers = range(spoken.tokens + 1, spoken.tokens + 1 + len(piece.tokens))
        same = zip(numbers, piece.tokens, expected, strict=True)
        spoken.wrong += [number for number, token, due in same if token != due]
        spoken.tokens += len(piece.tokens)
        spoken.taken += piece.taken
        spoken.cycles += piece.cycles
        spoken.seconds += piece.seconds
        yield network.vocabulary.decode(piece.tokens)


def routed_mhz(workspace: Workspace) -> float | None:
    """Return the fastest clock of the board's build, if it is of this very Verilog."""
    record = workspace.build_record(workspace.plan().board)
    return None if record is None else record["timing"]["fmax_mhz"]
