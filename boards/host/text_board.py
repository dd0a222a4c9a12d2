"""Text from a board: tokens as they come, its weights loaded first where they have to be."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...model.link.text_link import SLOTS, Flag, Status, TextReply, TextRequest
from ...model.link.text_session import TextLost, TextSession
from ...model.link.weight_requests import weight_requests
from .board_link import Board

__all__ = ["Piece", "TextBoard"]

REPLY_SECONDS = 0.05
"""What a request may take, so that text is seen to flow; a slow line may take as long again."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The tokens of one request.

    Attributes
    ----------
    tokens : tuple of int
        Empty while a long text is taken in.
    taken : int
        Tokens that the board took in.
    cycles : int
        From the request to the last token, on the board.
    seconds : float
        The same, as the host saw it.
    """

    tokens: tuple[int, ...]
    taken: int
    cycles: int
    seconds: float


class TextBoard:
    """A decoder behind a link.

    Parameters
    ----------
    board : Board
        Open; its network is a decoder.
    weights : bytes
        What it must be loaded with, if its weights lie in memories that are empty at first.
    """

    def __init__(self, board: Board, weights: bytes = b"") -> None:
        self._board, self._weights = board, weights
        self._burst = 1
        self._line = 0.0  # seconds of a request in which the board has nothing to do
        self.turn = False

    def prepare(self) -> bool:
        """Find out where the board is; return whether its weights have to be loaded first.

        Raises
        ------
        LinkError
            As :meth:`Board.exchange` does.
        """
        start = time.monotonic()
        self.turn = self._ask(TextRequest(flags=Flag.TURN)).turn  # nothing to do: no matter whose
        self._line = time.monotonic() - start
        idle = TextRequest(flags=Flag.NONE if self.turn else Flag.TURN)
        return bool(self._weights) and self._ask(idle).status == Status.NOT_LOADED

    def load(self, progress: Callable[[int], None] = lambda done: None) -> None:
        """Load the weights; ``progress`` is called with the bytes that have gone.

        Raises
        ------
        TextLost
            If the board refuses them.
        LinkError
            As :meth:`Board.exchange` does.
        """
        requests, turn = weight_requests(self._weights, turn=self.turn)
        done = 0
        for request in requests:
            if self._ask(request).status != Status.DONE:
                raise TextLost("The board refused its weights because it was reset; start again")
            done += len(request.weights)
            progress(done)
        self.turn = turn

    def go_on(self, session: TextSession, count: int, *, piece: int = SLOTS) -> Iterator[Piece]:
        """Yield pieces until ``count`` tokens are chosen; stop in between whenever you like.

        A piece has ``piece`` tokens at most, fewer if they take long. The session's turn must be
        the board's.

        Raises
        ------
        TextLost
            If the board was reset meanwhile.
        LinkError
            As :meth:`Board.exchange` does.
        """
        while count:
            request = session.request(min(count, self._burst, piece))
            start = time.monotonic()
            reply = self._ask(request)
            seconds = time.monotonic() - start
            tokens = session.accept(request, reply)
            self.turn = session.turn
            each = max(seconds - self._line, 1e-6) / max(request.taken, 1)
            self._burst = min(max(int(max(REPLY_SECONDS, self._line) / each), 1), SLOTS)
            count -= len(tokens)
            yield Piece(tokens=tokens, taken=request.taken, cycles=reply.cycles, seconds=seconds)

    def _ask(self, request: TextRequest) -> TextReply:
        return TextReply.unpack(self._board.exchange(request.pack()))
