"""The host link: frames, requests and replies, as host, hardware and tests share them.

The protocol is written down in ``docs/link.md``.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "HEADER_BYTES",
    "PROTOCOL_VERSION",
    "SYNC",
    "BoardInfo",
    "ErrorCode",
    "Frame",
    "FrameType",
    "LinkConfig",
    "Result",
    "crc32",
    "take_frame",
]

SYNC = 0xA5
PROTOCOL_VERSION = 2
HEADER_BYTES = 7  # sync, version, type, tag, three of length
CRC_BYTES = 4
HASH_BYTES = 32


class FrameType(IntEnum):
    """Types of frames; replies have the highest bit set."""

    INFO = 0x01
    RUN = 0x02
    INFO_REPLY = 0x81
    RESULT = 0x82
    ERROR = 0xFF


class ErrorCode(IntEnum):
    """Why a request was refused."""

    VERSION = 1  # another protocol version
    TYPE = 2  # not a request
    LENGTH = 3  # not the length of such a request
    CRC = 4  # damaged on the way
    TIMEOUT = 5  # the rest of the frame did not come


def crc32(data: bytes | bytearray) -> int:
    """Return the CRC-32/JAMCRC of ``data``: that of Ethernet without the inversion at the end.

    Of data and its CRC, lowest byte first, it is 0.
    """
    return zlib.crc32(data) ^ 0xFFFFFFFF


@dataclass(frozen=True)
class Frame:
    """One message of the link; the tag of a request comes back with its reply."""

    type: int
    tag: int = 0
    payload: bytes = b""
    version: int = PROTOCOL_VERSION

    def pack(self) -> bytes:
        """Return the bytes on the line: everything after the sync byte is covered by the CRC."""
        length = len(self.payload).to_bytes(3, "little")
        body = bytes([self.version, self.type, self.tag]) + length + self.payload
        return bytes([SYNC]) + body + crc32(body).to_bytes(CRC_BYTES, "little")


def take_frame(buffer: bytearray, longest: int) -> Frame | None:
    """Take the first intact frame out of ``buffer``, with all that comes before it.

    A sync byte that starts no intact frame is skipped; so is one whose length is above
    ``longest``. None means that more bytes are needed; the start of a possible frame stays.
    """
    while (start := buffer.find(SYNC)) >= 0:
        del buffer[:start]
        if len(buffer) < HEADER_BYTES:
            return None
        length = int.from_bytes(buffer[4:HEADER_BYTES], "little")
        end = HEADER_BYTES + length + CRC_BYTES
        if buffer[1] == PROTOCOL_VERSION and length <= longest:
            if len(buffer) < end:
                return None
            if crc32(buffer[1:end]) == 0:
                payload = bytes(buffer[HEADER_BYTES : end - CRC_BYTES])
                frame = Frame(type=buffer[2], tag=buffer[3], payload=payload)
                del buffer[:end]
                return frame
        del buffer[:1]
    buffer.clear()
    return None


@dataclass(frozen=True, kw_only=True)
class BoardInfo:
    """The description of a board in its INFO reply."""

    FORMAT = struct.Struct(f"<{HASH_BYTES}sIHI")

    network_hash: bytes
    input_bytes: int
    classes: int
    clock_khz: int

    def pack(self) -> bytes:
        """Return the payload of an INFO reply."""
        return self.FORMAT.pack(self.network_hash, self.input_bytes, self.classes, self.clock_khz)

    @classmethod
    def unpack(cls, payload: bytes) -> "BoardInfo":
        """Read the payload of an INFO reply; ValueError if it has another size."""
        try:
            network_hash, input_bytes, classes, clock_khz = cls.FORMAT.unpack(payload)
        except struct.error as error:
            raise ValueError(f"Board information has {len(payload)} bytes: {error}") from error
        return cls(
            network_hash=network_hash,
            input_bytes=input_bytes,
            classes=classes,
            clock_khz=clock_khz,
        )


@dataclass(frozen=True, kw_only=True)
class Result:
    """The answer to one image, in the byte order in which the core sends it."""

    class_index: int
    cycles: int
    logits: tuple[int, ...]

    def pack(self) -> bytes:
        """Return the payload of a RESULT: class u16, cycles u32, logits i32, little endian."""
        return struct.pack(f"<HI{len(self.logits)}i", self.class_index, self.cycles, *self.logits)

    @classmethod
    def unpack(cls, payload: bytes) -> "Result":
        """Read the payload of a RESULT; ValueError if it has an impossible size."""
        if len(payload) < 10 or len(payload) % 4 != 2:
            raise ValueError(f"Result cannot have {len(payload)} bytes")
        class_index, cycles, *logits = struct.unpack(f"<HI{len(payload) // 4 - 1}i", payload)
        return cls(class_index=class_index, cycles=cycles, logits=tuple(logits))


@dataclass(frozen=True, kw_only=True)
class LinkConfig:
    """Configuration of the hardware side of a link.

    Parameters
    ----------
    network_hash : bytes
        SHA-256 of the network in the board.
    input_bytes : int
        Bytes of one image.
    classes : int
        How many logits the core has, or tokens of a vocabulary.
    reply_bytes : int, optional
        Bytes of one result, if it is not a class, cycles and a logit of each class.
    clock_hz : int
        Clock of the link.
    timeout_ms : int
        Least silence on the line, in the middle of a frame, that ends the frame.
    """

    network_hash: bytes
    input_bytes: int
    classes: int
    clock_hz: int
    reply_bytes: int | None = None
    timeout_ms: int = 50

    def __post_init__(self) -> None:
        if len(self.network_hash) != HASH_BYTES:
            raise ValueError(f"Network hash must have 32 bytes, not {len(self.network_hash)!r}")
        if not 1 <= self.input_bytes < 1 << 24:
            raise ValueError(f"Input must have 1 to 16777215 bytes, not {self.input_bytes!r}")
        if not 1 <= self.classes < 1 << 16:
            raise ValueError(f"Classes must be 1 to 65535, not {self.classes!r}")
        if self.result_bytes < 1:
            raise ValueError(f"A result must have bytes, not {self.result_bytes!r}")
        if self.clock_hz < 1000 or self.timeout_ms < 1:
            raise ValueError(
                "Clock must be at least 1000 Hz and the timeout 1 ms, "
                f"not {self.clock_hz!r} Hz and {self.timeout_ms!r} ms"
            )

    @property
    def result_bytes(self) -> int:
        """Bytes of one result."""
        return 2 + 4 + 4 * self.classes if self.reply_bytes is None else self.reply_bytes

    @property
    def timeout_bits(self) -> int:
        """Width of the counter of silent cycles: the power of two at or above the timeout."""
        return (self.clock_hz * self.timeout_ms // 1000 - 1).bit_length()

    @property
    def info(self) -> BoardInfo:
        """The board's reply to an INFO request."""
        return BoardInfo(
            network_hash=self.network_hash,
            input_bytes=self.input_bytes,
            classes=self.classes,
            clock_khz=self.clock_hz // 1000,
        )
