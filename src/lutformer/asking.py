"""Asking a board, real or virtual, and holding its answers to the golden run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .model.golden import golden
from .model.network import Network
from .workspace import Workspace

if TYPE_CHECKING:
    from .boards.host import Board

__all__ = ["Answer", "ask", "connected"]

VIRTUAL_TIMEOUT = 120.0
"""Seconds for the simulator to think; it is some ten times slower than a board."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a board made of one image."""

    class_index: int
    logits: tuple[int, ...]
    cycles: int
    seconds: float
    """From the question to the answer, as the host saw it."""
    exact: bool
    """Whether class and logits are those of the golden run."""


@contextmanager
def connected(workspace: Workspace, network: Network, port: str | None) -> "Iterator[Board]":
    """Open the board at ``port``, or a virtual one if that is None; it must run ``network``."""
    from .boards.host import Board
    from .sim.virtual_board import VirtualBoard

    plan = workspace.plan()
    if port is not None:
        with Board.open(port, plan.baud, network_hash=network.digest) as board:
            yield board
        return
    verilog = workspace.require_top()
    virtual = VirtualBoard(
        verilog,
        divisor=plan.divisor,
        build_dir=workspace.path / "virtual_board",
    )
    with (
        virtual as line,
        Board.open(line, plan.baud, network_hash=network.digest, timeout=VIRTUAL_TIMEOUT) as board,
    ):
        yield board


def ask(board: "Board", network: Network, images: NDArray[np.uint8]) -> Iterator[Answer]:
    """Yield the board's answer to each image, as it comes."""
    truth = golden(network, images)
    for image, logits, index in zip(images, truth.logits, truth.classes, strict=True):
        start = time.monotonic()
        result = board.run(image.tobytes())
        expected = (int(index), tuple(map(int, logits)))
        yield Answer(
            class_index=result.class_index,
            logits=result.logits,
            cycles=result.cycles,
            seconds=time.monotonic() - start,
            exact=(result.class_index, result.logits) == expected,
        )
