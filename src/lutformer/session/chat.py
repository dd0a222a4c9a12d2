"""A chat with a board: lines in, lines out, one text."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

import typer

from ..console import notes
from ..errors import UsageError
from ..model.link.text_link import SLOTS
from ..model.link.text_session import TextSession
from ..model.network.gpt import Gpt
from ..model.sampling import Sampling

if TYPE_CHECKING:
    from ..boards.host.text_board import TextBoard

__all__ = ["Chat"]

HELP = """\
/reset            forget the text
/temperature T    0: always the most likely character; 1: as learned
/top-k K          sample from the K most likely characters; 0: from all
/tokens N         longest answer, in characters
/quit             leave (so does Ctrl-D)
Anything else is a line of text for the board to continue. Ctrl-C stops it; twice, it leaves."""


class Chat:
    """One talk.

    Parameters
    ----------
    board : TextBoard
        Prepared.
    network : Gpt
    sampling : Sampling
    tokens : int
        Characters of an answer at most.
    """

    def __init__(self, board: "TextBoard", network: Gpt, sampling: Sampling, tokens: int) -> None:
        self.board, self.network, self.tokens = board, network, tokens
        self.session = self._begin(sampling)

    def talk(self) -> None:
        """Answer line after line until the input ends."""
        watched = sys.stdin.isatty()
        if watched:
            notes.print("/help lists the commands; Ctrl-D ends the chat")
        while True:
            try:
                line = input("> " if watched else "")
            except KeyboardInterrupt:  # of a line half written
                typer.echo()
                continue
            except EOFError:
                return
            try:
                if line.strip() == "/quit":
                    return
                if line.startswith("/"):
                    self._command(*line.split())
                else:
                    self._answer(line)
            except UsageError as error:
                notes.print(str(error), markup=False, soft_wrap=True)

    def _begin(self, sampling: Sampling) -> TextSession:
        return TextSession(network=self.network, text=[], sampling=sampling, turn=self.board.turn)

    def _answer(self, line: str) -> None:
        """Go on with the text after a line, until another one ends."""
        vocabulary, session = self.network.vocabulary, self.session
        ends = vocabulary.characters.find("\n")
        tokens = vocabulary.encode if session.text else vocabulary.prompt
        session.text += tokens(line + "\n" if ends >= 0 else line).tolist()
        piece = 1 if ends >= 0 else SLOTS  # nothing may be chosen beyond a line's end
        with _stoppable() as stopped:
            for some in self.board.go_on(session, self.tokens, piece=piece):
                typer.echo(vocabulary.decode(some.tokens), nl=False)
                sys.stdout.flush()
                if stopped or ends in some.tokens:
                    break
        if session.text[-1] != ends:
            typer.echo()

    def _command(self, name: str, *values: str) -> None:
        network, session = self.network, self.session
        try:
            match name, *values:
                case ["/help"]:
                    typer.echo(HELP)
                case ["/reset"]:
                    self.session = self._begin(session.sampling)
                case ["/temperature", value]:
                    steps = network.temperature(float(value))
                    session.sampling = replace(session.sampling, temperature=steps)
                case ["/top-k", value]:
                    session.sampling = replace(session.sampling, top_k=int(value))
                case ["/tokens", value] if int(value) > 0:
                    self.tokens = int(value)
                case _:
                    raise UsageError(f"There is no {' '.join((name, *values))!r}; see /help")
        except UsageError:
            raise
        except ValueError as error:
            raise UsageError(f"{name} takes one number; see /help") from error


@contextmanager
def _stoppable() -> Iterator[list[int]]:
    """Have Ctrl-C fill a list instead of ending what runs: a request must not be left half done.

    The second one ends it, for a board may never answer.
    """
    stopped = list[int]()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
