"""What a benchmark is held to, and the JSON in which it says what it found."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Bar", "add_full", "json_text"]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A figure and its limit: exactly one of ``at_least`` and ``at_most``."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"{self.name}: a bar has one limit")

    @property
    def met(self) -> bool:
        """Whether the figure is within its limit."""
        if self.at_least is not None:
            return self.value >= self.at_least
        assert self.at_most is not None
        return self.value <= self.at_most

    @property
    def row(self) -> dict[str, Any]:
        """The bar as it is in a benchmark's JSON."""
        kind = "at_most" if self.at_least is None else "at_least"
        return {
            "name": self.name,
            "value": self.value,
            kind: getattr(self, kind),
            "met": self.met,
        }


def json_text(bars: Sequence[Bar], figures: object, **more: object) -> str:
    """Return ``{"rows": bars, "figures": ..., ...}``, the JSON of every benchmark."""
    found = {"rows": [bar.row for bar in bars], "figures": figures} | more
    return json.dumps(found, indent=2)


def add_full(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--full``: without it a benchmark is quick, and shows only that it works."""
    parser.add_argument("--full", action="store_true", help=f"{what}; what docs/results.md shows")
