"""The result of simulating a whole core, and its comparison with the golden run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Differences", "Profile", "SimulationResult", "Span", "differences"]


class Span(NamedTuple):
    """What an engine did for an instruction: from the first cycle on, to before the last."""

    engine: str
    instruction: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Profile:
    """When each instruction of a program ran in each engine, in one inference.

    Attributes
    ----------
    cycles : int
        That the program ran.
    spans : tuple of Span
        By engine, in the order of time; cycles are counted from the program's start.
    """

    cycles: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class SimulationResult:
    """Outcome of a simulation.

    Attributes
    ----------
    frames, integers, mismatches : int
        Images run, or tokens chosen; integers compared with the golden run, and how many of these
        differ.
    cycles_per_inference : int
        From the last pixel to the last logit; equal for all frames. Of a decoder the slowest of its
        tokens, each from the last logit of the one before to its own; 0 if there is one alone.
    first_mismatch : str
        Where the first difference is; empty if there is none.
    cycles_by_place : dict of int to int
        Of a decoder: the cycles of a token by its place in the context.
    load_cycles : int
        Of a decoder whose weights are loaded first: until they were, its link never waiting.
    profile : Profile, optional
        Of the last inference, if its engines were watched.
    """

    frames: int
    integers: int
    mismatches: int
    cycles_per_inference: int
    first_mismatch: str = ""
    cycles_by_place: dict[int, int] = field(default_factory=dict)
    load_cycles: int = 0
    profile: Profile | None = None


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Of :class:`SimulationResult`, what comes of comparing."""

    integers: int
    mismatches: int
    first_mismatch: str


def differences(
    expected: Mapping[str, NDArray[Any]], found: Mapping[str, NDArray[Any]]
) -> Differences:
    """Compare named arrays, in the order of ``expected``."""
    wrong = {name: np.argwhere(found[name] != expected[name]) for name in expected}
    first = next(((name, where[0]) for name, where in wrong.items() if len(where)), None)
    text = ""
    if first is not None:
        name, where = first
        at = tuple(int(n) for n in where)
        text = (
            f"{name}[{', '.join(map(str, at))}] is {found[name][at]}, golden {expected[name][at]}"
        )
    return Differences(
        integers=sum(array.size for array in expected.values()),
        mismatches=sum(map(len, wrong.values())),
        first_mismatch=text,
    )
