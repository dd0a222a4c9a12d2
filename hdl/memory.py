"""Memories in the block RAM of an FPGA."""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import ShapeLike
from amaranth.lib.memory import Memory

__all__ = ["block_memory"]


def block_memory(*, shape: ShapeLike, depth: int, init: Iterable[Any] = ()) -> Any:
    """Return a memory that synthesis puts into block RAM: a ROM if it has contents.

    A memory that is written must not be read in the same cycle at the address that is written:
    what would be read is undefined, and no logic is spent on defining it.
    """
    contents: list[Any] = list(init)
    attributes: Any = (
        {"ram_style": "block"} if contents else {"ram_style": "block", "no_rw_check": 1}
    )
    return Memory(shape=shape, depth=max(2, depth), init=contents, attrs=attributes)
