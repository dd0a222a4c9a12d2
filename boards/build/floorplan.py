"""The cells of a routed design and where they are on the chip."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .hierarchy import Hierarchy

__all__ = ["Cell", "floorplan"]

_SITE = re.compile(r"X(\d+)/Y(\d+)/(.+)")
_LOGIC = re.compile(r"lc(\d)|SLICE([A-D])\.(K|FF)([01])")
_BLOCK = re.compile(r"ram|spram|mac16|EBR|MULT|ALU", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A placed cell.

    Attributes
    ----------
    module : str
    x, y : int
        Its tile.
    slot : int or None
        Its place among the eight logic cells of a tile; None for a memory or a multiplier.
    ff : bool
        It is a flip-flop with a site of its own.
    """

    module: str
    x: int
    y: int
    slot: int | None
    ff: bool = False


def floorplan(places: Mapping[str, str], hierarchy: Hierarchy) -> Iterator[Cell]:
    """Yield logic cells, memories and multipliers; pads and clock buffers are left out."""
    for name, site in places.items():
        match = _SITE.fullmatch(site)
        if match is None:
            continue
        x, y, bel = int(match[1]), int(match[2]), match[3]
        module, logic = hierarchy.module(name), _LOGIC.fullmatch(bel)
        if logic is not None:
            yield Cell(module=module, x=x, y=y, slot=_slot(logic), ff=logic[3] == "FF")
        elif _BLOCK.match(bel):
            yield Cell(module=module, x=x, y=y, slot=None)


def _slot(logic: re.Match[str]) -> int:
    if logic[1] is not None:
        return int(logic[1])
    return 2 * "ABCD".index(logic[2]) + int(logic[4])
