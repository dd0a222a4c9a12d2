"""The payload of a decoder's requests and replies (docs/link.md, text)."""

import struct
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from lutformer.errors import LutformerError

from ..sampling import Sampling
from ..storage.part import check

__all__ = [
    "ANSWER",
    "HEADER_BYTES",
    "REPLY_BYTES",
    "REQUEST_BYTES",
    "SLOTS",
    "Flag",
    "Status",
    "TextReply",
    "TextRequest",
]

SLOTS = 16
"""Tokens that a request brings at most, and that a reply brings back."""
TOKEN_BYTES = 2
HEADER = struct.Struct("<BBBHHI")
HEADER_BYTES = HEADER.size
REQUEST_BYTES = HEADER_BYTES + SLOTS * TOKEN_BYTES
ANSWER = struct.Struct("<BBHI")
TURN = 0x80  # of a reply's first byte
REPLY_BYTES = ANSWER.size + SLOTS * TOKEN_BYTES


class Flag(IntFlag):
    """Flags of a request."""

    NONE = 0
    RESET = 1  # begin a new context
    RESEED = 2  # set the generator
    LOAD = 4  # bring weights instead of tokens
    RELOAD = 8  # the first ones
    TURN = 16  # other than in the request before; the same: that request again


class Status(IntEnum):
    """The outcome of a request."""

    DONE = 0
    NOT_LOADED = 1  # weights are missing
    REFUSED = 2  # no tokens, or more than there are slots for
    FULL = 3  # more tokens than the context has room for


@dataclass(frozen=True, kw_only=True)
class TextRequest:
    """Tokens to take in and to choose, or a piece of the weights.

    Attributes
    ----------
    flags : Flag
    tokens : tuple of int
        To take in.
    count : int
        To choose.
    sampling : Sampling
        Its seed counts with ``Flag.RESEED`` only.
    weights : bytes
        With ``Flag.LOAD``.
    """

    flags: Flag = Flag.NONE
    tokens: tuple[int, ...] = ()
    count: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    weights: bytes = b""

    def __post_init__(self) -> None:
        check(
            len(self.tokens) <= SLOTS and self.count <= SLOTS,
            f"A request brings {SLOTS} tokens at most, and asks for {SLOTS} at most, "
            f"not {len(self.tokens)} and {self.count}",
        )
        room = SLOTS * TOKEN_BYTES
        check(
            len(self.weights) <= room,
            f"A request brings {room} bytes of weights at most, not {len(self.weights)}",
        )

    @property
    def taken(self) -> int:
        """Tokens that a request adds to the context; the last chosen token is not among them."""
        return len(self.tokens) + max(self.count - 1, 0)

    def pack(self) -> bytes:
        """Return the payload."""
        load = Flag.LOAD in self.flags
        body = self.weights if load else struct.pack(f"<{len(self.tokens)}H", *self.tokens)
        how = self.sampling
        head = HEADER.pack(
            self.flags,
            len(self.weights if load else self.tokens),
            self.count,
            how.temperature,
            how.top_k,
            how.seed,
        )
        return (head + body).ljust(REQUEST_BYTES, b"\0")


@dataclass(frozen=True, kw_only=True)
class TextReply:
    """The tokens chosen.

    Attributes
    ----------
    status : Status
    tokens : tuple of int
    cycles : int
        From the request to the last token.
    place : int
        Tokens that the context has.
    turn : bool
        That of the last request which was done.
    """

    status: Status
    tokens: tuple[int, ...]
    cycles: int
    place: int
    turn: bool

    @classmethod
    def unpack(cls, payload: bytes) -> "TextReply":
        """Read a payload.

        Raises
        ------
        LutformerError
            If it is none.
        """
        known = len(payload) == REPLY_BYTES and payload[0] & ~TURN in tuple(Status)
        if not known or payload[1] > SLOTS:
            raise LutformerError(
                f"The board's answer is no text ({len(payload)} bytes); is it a decoder?"
            )
        status, count, place, cycles = ANSWER.unpack_from(payload)
        return cls(
            status=Status(status & ~TURN),
            tokens=struct.unpack_from(f"<{count}H", payload, ANSWER.size),
            cycles=cycles,
            place=place,
            turn=bool(status & TURN),
        )
