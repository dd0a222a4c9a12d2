"""The command line that is at work, for the records that it leaves."""

import shlex
from collections.abc import Sequence
from contextvars import ContextVar

__all__ = ["command", "remember_command"]

_COMMAND: ContextVar[str | None] = ContextVar("command", default=None)


def remember_command(arguments: Sequence[str]) -> None:
    """Note the arguments of ``lutformer``."""
    _COMMAND.set(shlex.join(["lutformer", *arguments]))


def command() -> str | None:
    """Return the command line, or None where Python calls."""
    return _COMMAND.get()
