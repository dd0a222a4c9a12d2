"""Memories in the block RAM of an FPGA."""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import ShapeLike
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["block_memory", "large_memory", "read_port"]


def read_port(width: int, depth: int) -> wiring.Signature:
    """Return what reads a memory that lies elsewhere: the word of a cycle with ``en`` stays."""
    return wiring.Signature({"addr": Out(range(depth)), "en": Out(1), "data": In(width)})


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


def large_memory(*, shape: ShapeLike, depth: int) -> Any:
    """Return a memory for the iCE40 UP's SPRAM, whose contents are undefined at first.

    It has one port: read and write address must be one, and a cycle that writes must not read.
    """
    attributes: Any = {"ram_style": "huge", "no_rw_check": 1}
    return Memory(shape=shape, depth=depth, init=[], attrs=attributes)
