"""Claims about a build directory, and their results."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["EVERY_INPUT", "EVERY_STATE", "Claim", "Skipped", "Task"]

EVERY_INPUT = "proof, every input"
EVERY_STATE = "proof, every input in every state"


class Skipped(Exception):
    """Something that cannot be shown here, for the reason that is its text."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to be shown: ``work`` returns how much was equal, or raises ``NotEqual``.

    It raises ``Skipped`` if that cannot be shown.
    """

    part: str
    claim: str
    method: str
    work: Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim that was proved, or skipped for the reason in ``result``."""

    part: str
    claim: str
    method: str
    result: str
    seconds: float
    shown: bool
