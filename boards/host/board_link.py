"""The host side of the link: identify a board and classify images with it."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, TypeVar

import numpy as np
import serial
from numpy.typing import NDArray

from lutformer.errors import LutformerError

from ...model.link.frames import BoardInfo, ErrorCode, Frame, FrameType, Result, take_frame

__all__ = [
    "Board",
    "BoardInfo",
    "BoardRefused",
    "BoardSilent",
    "LinkError",
    "PortFailed",
    "Result",
    "WrongNetwork",
]

POLL_SECONDS = 0.02
MOST_JUNK = 4096
"""Bytes between a request and its reply for which the host is patient."""
LONGEST_REPLY = 2 + 4 + 4 * 65535


class LinkError(LutformerError):
    """Base of everything that can go wrong between host and board."""


class PortFailed(LinkError):
    """The serial port cannot be opened, or went away."""


class BoardSilent(LinkError):
    """No intact reply came in time, after all attempts."""


class BoardRefused(LinkError):
    """The board answered every attempt with an error.

    Attributes
    ----------
    code : int
        The last :class:`ErrorCode`.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class WrongNetwork(LinkError):
    """The board runs another network than the host expects."""


class Line(Protocol):
    """The part of ``serial.Serial`` that :class:`Board` uses."""

    @property
    def port(self) -> str | None:
        """Its name."""
        ...

    @property
    def baudrate(self) -> int:
        """Bits a second."""
        ...

    @property
    def in_waiting(self) -> int:
        """Bytes that :meth:`read` returns at once."""
        ...

    def read(self, size: int = 1, /) -> bytes:
        """Return up to ``size`` bytes; fewer, or none, when no more came for a while."""
        ...

    def write(self, b: bytes, /) -> int | None:
        """Send bytes."""
        ...

    def close(self) -> None:
        """Close the port."""
        ...


class Board:
    """A board on a serial port; use :meth:`open`, best in a ``with`` statement.

    ``with Board.open("/dev/ttyUSB1") as board: print(board.classify(image).class_index)``

    Parameters
    ----------
    line : Line
        The open port.
    network_hash : bytes, optional
        SHA-256 of the network that must be in the board.
    timeout : float
        Seconds for the board to think; the time on the line is added.
    attempts : int
        How often a request is sent at most.
    silence : float
        Seconds without a byte after which the line counts as quiet; more than the board's timeout.
    there : callable
        Returns whether the board is still there, where the port cannot tell.
    now : callable
        Returns the seconds by which all of these are measured.
    tag : int, optional
        Of the first request; drawn if not given, so that a late reply to an earlier program has
        another one.
    """

    def __init__(
        self,
        line: Line,
        *,
        network_hash: bytes | None = None,
        timeout: float = 5.0,
        attempts: int = 3,
        silence: float = 0.2,
        there: Callable[[], bool] = lambda: True,
        now: Callable[[], float] = time.monotonic,
        tag: int | None = None,
    ) -> None:
        self.network_hash, self._there, self._now = network_hash, there, now
        self.timeout, self.attempts, self.silence = timeout, attempts, silence
        self._line = line
        self._tag = os.urandom(1)[0] if tag is None else tag
        self._info: BoardInfo | None = None

    @classmethod
    def open(
        cls,
        port: str,
        baud: int = 1_000_000,
        *,
        network_hash: bytes | None = None,
        timeout: float = 5.0,
        attempts: int = 3,
        silence: float = 0.2,
        there: Callable[[], bool] = lambda: True,
    ) -> "Board":
        """Open a serial port; with ``network_hash``, also check that the board runs this network.

        Raises
        ------
        PortFailed
            When there is no such port, or it is not ours to use.
        WrongNetwork
            When the board runs another network.
        """
        try:
            line = serial.serial_for_url(
                port, baudrate=baud, timeout=POLL_SECONDS, write_timeout=timeout
            )
        except (serial.SerialException, ValueError) as error:
            raise PortFailed(f"Serial port {port!r} cannot be opened: {error}") from error
        _hurry(line)
        board = cls(
            line,
            network_hash=network_hash,
            timeout=timeout,
            attempts=attempts,
            silence=silence,
            there=there,
        )
        if network_hash is not None:
            try:
                board.info()
            except BaseException:
                board.close()
                raise
        return board

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._line.close()

    def info(self) -> BoardInfo:
        """Return the board's INFO, checked against the expected network."""
        payload = self._ask(FrameType.INFO, b"", FrameType.INFO_REPLY)
        info = _unpacked(BoardInfo, payload)
        expected = self.network_hash
        if expected is not None and info.network_hash != expected:
            raise WrongNetwork(
                f"The board runs network {info.network_hash.hex()[:16]}, not "
                f"{expected.hex()[:16]}; build and flash the network that you want to run"
            )
        self._info = info
        return info

    def classify(self, image: bytes | NDArray[Any]) -> Result:
        """Return the board's result for one input (docs/link.md).

        Parameters
        ----------
        image : bytes or array
            Its bytes; or as many integers from 0 to 255, in any shape: an image
            ``[height, width, channels]``.

        Raises
        ------
        ValueError
            When the input has another size than the network's, or is not made of bytes.
        LinkError
            When no reply comes, the board refuses, or the port fails.
        """
        result = _unpacked(Result, self.exchange(_bytes_of(image)))
        info = self._info or self.info()
        if len(result.logits) != info.classes:
            raise LinkError(f"The board sent {len(result.logits)} logits, not {info.classes}")
        return result

    def exchange(self, payload: bytes) -> bytes:
        """Return the payload of the reply to a RUN, whatever the two mean.

        A reply that was lost is asked for again, so the board may do what is asked more than once.

        Raises
        ------
        ValueError
            When the payload has another size than the network's input.
        LinkError
            When no reply comes, the board refuses, or the port fails.
        """
        info = self._info or self.info()
        if len(payload) != info.input_bytes:
            raise ValueError(f"Image must have {info.input_bytes} bytes, not {len(payload)!r}")
        return self._ask(FrameType.RUN, payload, FrameType.RESULT)

    def _ask(self, request: FrameType, payload: bytes, reply: FrameType) -> bytes:
        """Send a request until it is answered; return the payload of the reply."""
        refusal: Frame | None = None
        try:
            for attempt in range(self.attempts):
                if attempt:
                    self._resync()
                self._tag = (self._tag + 1) % 256
                sent = Frame(request, self._tag, payload)
                self._line.write(sent.pack())
                frame = self._reply(len(payload))
                if frame is not None and frame.type == reply:
                    return frame.payload
                if frame == sent:
                    raise LinkError(
                        f"Whatever is on {self._line.port!r} sends back what it is sent: "
                        "an echo, not a board"
                    )
                refusal = frame or refusal
        except (serial.SerialException, OSError) as error:
            raise PortFailed(f"Serial port {self._line.port!r} failed: {error}") from error
        if refusal is None:
            raise BoardSilent(
                f"No answer on {self._line.port!r} to {self.attempts} requests; "
                "is the board on, is it flashed, is the baud rate right?"
            )
        if refusal.type != FrameType.ERROR:
            raise LinkError(
                f"The board speaks another dialect: it answered {request.name} with "
                f"a frame of type {refusal.type}"
            )
        code = refusal.payload[0] if refusal.payload else 0
        name = ErrorCode(code).name if code in list(ErrorCode) else "unknown"
        raise BoardRefused(f"The board refused {request.name}: error {code} ({name})", code)

    def _reply(self, request_bytes: int) -> Frame | None:
        """Return the reply to the current tag, or the error that came instead, or None."""
        buffer = bytearray()
        seconds_per_byte = 10 / self._line.baudrate
        deadline = self._now() + self.timeout + request_bytes * seconds_per_byte
        classes = self._info.classes if self._info else 0
        most = max(MOST_JUNK, 4 * classes)  # a line that talks for ever extends it no further
        latest = deadline + self.timeout + most * seconds_per_byte
        while self._now() < deadline:
            if news := self._line.read(max(1, self._line.in_waiting)):
                buffer += news
                deadline = min(deadline + len(news) * seconds_per_byte, latest)
            elif not self._there():
                raise PortFailed(f"The board on {self._line.port!r} is gone; start it again")
            while (frame := take_frame(buffer, LONGEST_REPLY)) is not None:
                # The tag of an error may be damaged; any other reply must have ours.
                if frame.type == FrameType.ERROR or frame.tag == self._tag:
                    return frame
        return None

    def _resync(self) -> None:
        """Discard bytes until a silence long enough for the board to time out too."""
        quiet = self._now() + self.silence
        give_up = self._now() + max(self.timeout, self.silence)
        while self._now() < min(quiet, give_up):
            if self._line.read(max(1, self._line.in_waiting)):
                quiet = self._now() + self.silence


def _bytes_of(image: bytes | NDArray[Any]) -> bytes:
    if isinstance(image, bytes):
        return image
    array = np.asarray(image)
    if array.dtype.kind not in "iu":
        raise ValueError(f"Image must be bytes or integers from 0 to 255, not {array.dtype}")
    beyond = array[(array < 0) | (array > 255)]
    if beyond.size:
        raise ValueError(f"Image must be bytes or integers from 0 to 255, not {beyond[0]}")
    return array.astype(np.uint8).tobytes()


def _hurry(line: serial.Serial) -> None:
    """Have replies passed on at once, not after 16 ms as FTDI's chips do; not all ports can."""
    with suppress(AttributeError, ValueError, NotImplementedError, OSError):
        line.set_low_latency_mode(True)


Reply = TypeVar("Reply", BoardInfo, Result)


def _unpacked(cls: type[Reply], payload: bytes) -> Reply:
    try:
        return cls.unpack(payload)
    except ValueError as error:
        raise LinkError(f"The board does not follow the protocol: {error}") from error
