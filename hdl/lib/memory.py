"""Memories in the block RAM of an FPGA."""

from collections.abc import Iterable
from typing import Any, Protocol

from amaranth.hdl import ShapeLike, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["ReadPort", "block_memory", "large_memory", "read_port"]


class ReadPort(Protocol):
    """What reads words of a memory.

    Attributes
    ----------
    signature : wiring.Signature
    addr, en : Signal
        Out: the word's number, and whether it is read in this cycle.
    data : Signal
        In: the word, from the next cycle on until that behind another read.
    """

    @property
    def signature(self) -> wiring.Signature: ...

    @property
    def addr(self) -> Signal: ...

    @property
    def en(self) -> Signal: ...

    @property
    def data(self) -> Signal: ...


def read_port(width: int, depth: int) -> wiring.Signature:
    """Return the signature of a :class:`ReadPort` whose memory lies elsewhere."""
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
