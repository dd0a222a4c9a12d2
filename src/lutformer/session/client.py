"""Asking a board, real or virtual, and holding its answers to the golden run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..families import family_of
from ..model.network.stored_network import StoredNetwork
from ..workspace import Workspace

if TYPE_CHECKING:
    from ..boards.host.board_link import Board

__all__ = ["Answer", "ask", "connected"]

VIRTUAL_TIMEOUT = 120.0
"""Seconds for the simulator to think; it is some ten times slower than a board."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a board for one input."""

    class_index: int
    logits: tuple[int, ...]
    cycles: int
    seconds: float
    """From the question to the answer, as the host saw it."""
    exact: bool
    """Whether class and logits are those of the golden run."""


@contextmanager
def connected(
    workspace: Workspace,
    network: StoredNetwork,
    port: str | None,
    waves: Path | None = None,
) -> "Iterator[Board]":
    """Open the board at ``port``, or a virtual one if that is None; it must run ``network``.

    The virtual one writes ``waves``, if they are given.
    """
    from ..boards.host.board_link import Board
    from ..cells import with_models
    from ..sim.virtual_board import VirtualBoard

    plan = workspace.plan()
    if port is not None:
        with Board.open(port, plan.baud, network_hash=network.digest) as board:
            yield board
        return
    directory = workspace.path / "virtual_board"
    verilog = with_models(workspace.require_top(), directory)
    virtual = VirtualBoard(verilog, divisor=plan.divisor, build_dir=directory, waves=waves)
    with (
        virtual as line,
        Board.open(
            line,
            plan.baud,
            network_hash=network.digest,
            timeout=VIRTUAL_TIMEOUT,
            there=lambda: virtual.running,
        ) as board,
    ):
        yield board


def ask(board: "Board", network: StoredNetwork, inputs: NDArray[Any]) -> Iterator[Answer]:
    """Yield the board's answer to each input, as it comes."""
    truth = family_of(network).answers(network, inputs)
    packed = network.pack(inputs)
    for payload, logits, index in zip(packed, truth.logits, truth.classes, strict=True):
        start = time.monotonic()
        result = board.classify(payload)
        expected = (int(index), tuple(map(int, logits)))
        yield Answer(
            class_index=result.class_index,
            logits=result.logits,
            cycles=result.cycles,
            seconds=time.monotonic() - start,
            exact=(result.class_index, result.logits) == expected,
        )
