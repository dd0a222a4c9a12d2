"""The command line that is at work, for the records that it leaves."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["command", "invoked"]

_COMMAND: ContextVar[str | None] = ContextVar("command", default=None)


@contextmanager
def invoked(arguments: Sequence[str]) -> Iterator[None]:
    """Say that everything inside is done by ``lutformer`` with these arguments."""
    token = _COMMAND.set(shlex.join(["lutformer", *arguments]))
    try:
        yield
    finally:
        _COMMAND.reset(token)


def command() -> str | None:
    """Return the command line, or None where Python calls."""
    return _COMMAND.get()
