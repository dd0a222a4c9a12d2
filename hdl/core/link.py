"""The board's side of the host link: framed requests in, framed replies out."""

from amaranth.hdl import Array, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.link.frames import (
    CRC_BYTES,
    HEADER_BYTES,
    PROTOCOL_VERSION,
    SYNC,
    ErrorCode,
    Frame,
    FrameType,
    LinkConfig,
)
from ..lib.crc32 import Crc32

__all__ = ["Link"]

# Where the replies start and end in the table of constant bytes.
PLACE_BITS = 6
ERROR_START, ERROR_END = 0, 6
INFO_START, INFO_END = 10, 57
RESULT_START, RESULT_END = 58, 63
TAG = 2  # of a reply, without its sync byte
STATES = ("HEADER", "PAYLOAD", "CRC", "CHECK", "DRAIN", "RELEASE", "RUN")
STATES += ("SYNC", "REPLY", "RESULT", "SEND_CRC")


class Link(wiring.Component):
    """Answers the requests of ``docs/link.md`` on behalf of a core.

    An image reaches the core byte by byte as it arrives, except for its last byte: that one is held
    back until the CRC of the frame was right. After any fault ``abort`` tells the core to forget
    the bytes that it has. One CRC circuit serves both directions, because the link does not listen
    while it replies.

    A byte passes in the cycle in which it is offered, unless the CRC is still busy with the one
    before (``Crc32``: some 9 cycles).

    Parameters
    ----------
    config : LinkConfig
        Constants of the network and the board.

    Members
    -------
    rx : In(stream.Signature(8))
        Bytes from the host.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    image : Out(stream.Signature(8))
        Bytes of an image; the core starts with byte number ``config.input_bytes``.
    abort : Out(1)
        High for one cycle: forget the bytes of the unfinished image. Never while ``image`` offers.
    result : In(stream.Signature(8))
        Exactly ``config.result_bytes`` bytes for each image.
    """

    rx: stream.Interface
    tx: stream.Interface
    image: stream.Interface
    abort: Signal
    result: stream.Interface

    def __init__(self, config: LinkConfig) -> None:
        self.config = config
        byte_stream = stream.Signature(8)
        super().__init__(
            {
                "rx": In(byte_stream),
                "tx": Out(byte_stream),
                "image": Out(byte_stream),
                "abort": Out(1),
                "result": In(byte_stream),
            }
        )
        self._table = self._reply_table()
        longest = max(config.input_bytes, config.result_bytes, len(self._table))
        self._count = Signal(range(longest))  # bytes of this state gone by; or place in the table
        self._is_run = Signal()
        self._tag = Signal(8)
        self._code = Signal(3)
        self._crc = Crc32()
        self._arrives = Signal()  # a byte is taken
        self._silence = Signal(config.timeout_bits + 1)
        self._silent = Signal()  # nothing came for the timeout, nor comes now
        self._ongoing: dict[str, Value] = {}

    def _reply_table(self) -> list[int]:
        """Return the constant bytes of the replies, without sync bytes and CRCs.

        The hash is aligned to 16 bytes: each bit of 16 bytes is one LUT4. The tags and the code of
        an error are zero here.
        """
        error = Frame(FrameType.ERROR, payload=bytes(1)).pack()[1:-CRC_BYTES]
        info = Frame(FrameType.INFO_REPLY, payload=self.config.info.pack()).pack()[1:-CRC_BYTES]
        result = Frame(FrameType.RESULT, payload=bytes(self.config.result_bytes)).pack()
        table = error.ljust(INFO_START, b"\0") + info + result[1:HEADER_BYTES]
        assert len(table) == 1 << PLACE_BITS
        return list(table)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = self._crc
        silence = self._silence
        m.d.comb += self._silent.eq(silence[-1] & ~self.rx.valid)
        with m.If(self.rx.valid):
            m.d.sync += silence.eq(0)
        with m.Elif(~silence[-1]):
            m.d.sync += silence.eq(silence + 1)

        m.d.comb += self.rx.ready.eq(1)  # what comes out of turn is thrown away
        m.d.comb += self._arrives.eq(self.rx.valid & self.rx.ready)
        # What does not go out comes in: one multiplexer feeds the line and the CRC.
        m.d.comb += [self.tx.payload.eq(self.rx.payload), self._crc.i.payload.eq(self.tx.payload)]
        with m.FSM() as fsm:
            with m.State("HEADER"):
                self._header(m)
            with m.State("PAYLOAD"):
                self._payload(m)
            with m.State("CRC"):
                self._receive_crc(m)
            with m.State("CHECK"):
                self._check(m)
            with m.State("DRAIN"), m.If(self._silent):
                self._go(m, "SYNC", ERROR_START)
            with m.State("RELEASE"):
                m.d.comb += self.image.valid.eq(1)
                with m.If(self.image.ready):
                    m.next = "RUN"
            with m.State("RUN"), m.If(self.result.valid):
                self._go(m, "SYNC", RESULT_START)
            with m.State("SYNC"):
                m.d.comb += [self.tx.valid.eq(1), self.tx.payload.eq(SYNC), self._crc.reset.eq(1)]
                with m.If(self.tx.ready):
                    m.next = "REPLY"
            with m.State("REPLY"):
                self._reply(m)
            with m.State("RESULT"):
                self._forward_result(m)
            with m.State("SEND_CRC"):
                self._send_crc(m)
            self._ongoing = {state: fsm.ongoing(state) for state in STATES}
        return m

    def _go(self, m: Module, state: str, count: int = 0) -> None:
        m.d.sync += self._count.eq(count)
        m.next = state

    def _fail(self, m: Module, code: ErrorCode) -> None:
        m.d.sync += self._code.eq(code)
        m.d.comb += self.abort.eq(1)
        m.next = "DRAIN"

    def _header(self, m: Module) -> None:
        length = self.config.input_bytes.to_bytes(3, "little")
        expected = Signal(8)
        word, count = self.rx.payload, self._count
        matches = Signal()
        with m.Switch(count[:3]):
            with m.Case(1):
                m.d.comb += expected.eq(PROTOCOL_VERSION)
            with m.Case(2):
                m.d.comb += expected.eq(Mux(word[1], FrameType.RUN, FrameType.INFO))
            with m.Case(3):
                m.d.comb += expected.eq(word)
            for place, byte in enumerate(length, 4):
                with m.Case(place):
                    m.d.comb += expected.eq(Mux(self._is_run, byte, 0))
            with m.Default():
                m.d.comb += expected.eq(SYNC)
        m.d.comb += matches.eq(word == expected)

        m.d.comb += self.rx.ready.eq(self._crc.i.ready)
        with m.If(self._arrives):
            m.d.comb += [self._crc.reset.eq(count == 0), self._crc.i.valid.eq(1)]
            m.d.sync += count.eq(count + 1)
            with m.Switch(count[:3]):
                with m.Case(0), m.If(~matches):
                    m.d.sync += count.eq(0)
                with m.Case(1), m.If(~matches):
                    self._fail(m, ErrorCode.VERSION)
                with m.Case(2):
                    m.d.sync += self._is_run.eq(word[1])
                    with m.If(~matches):
                        self._fail(m, ErrorCode.TYPE)
                with m.Case(3):
                    m.d.sync += self._tag.eq(word)
                with m.Case(4, 5, 6):
                    with m.If(~matches):
                        self._fail(m, ErrorCode.LENGTH)
                    with m.Elif(count[:3] == HEADER_BYTES - 1):
                        self._go(m, "CRC")
                        with m.If(self._is_run):
                            m.next = "PAYLOAD"
        with m.Elif(self._silent & (count != 0)):
            self._fail(m, ErrorCode.TIMEOUT)

    def _payload(self, m: Module) -> None:
        # Each byte pushes out the one before it, so that the last one stays behind.
        first = self._count == 0
        m.d.comb += self.image.valid.eq(self.rx.valid & self._crc.i.ready & ~first)
        m.d.comb += self.rx.ready.eq(self._crc.i.ready & (self.image.ready | first))
        with m.If(self._arrives):
            m.d.comb += self._crc.i.valid.eq(1)
            m.d.sync += [self.image.payload.eq(self.rx.payload), self._count.eq(self._count + 1)]
            with m.If(self._count == self.config.input_bytes - 1):
                self._go(m, "CRC")
        with m.Elif(self._silent):
            self._fail(m, ErrorCode.TIMEOUT)

    def _receive_crc(self, m: Module) -> None:
        m.d.comb += self.rx.ready.eq(self._crc.i.ready)
        with m.If(self._arrives):
            m.d.comb += [self._crc.i.valid.eq(1), self._crc.watch.eq(self._count == 0)]
            m.d.sync += self._count.eq(self._count + 1)
            with m.If(self._count[:2] == CRC_BYTES - 1):
                m.next = "CHECK"
        with m.Elif(self._silent):
            self._fail(m, ErrorCode.TIMEOUT)

    def _check(self, m: Module) -> None:
        with m.If(self._crc.i.ready):
            with m.If(self._crc.fed):
                self._fail(m, ErrorCode.CRC)
            with m.Elif(self._is_run):
                m.next = "RELEASE"
            with m.Else():
                self._go(m, "SYNC", INFO_START)

    def _reply(self, m: Module) -> None:
        place = self._count[:PLACE_BITS]
        rows = [Signal(8, name=f"row{n}") for n in range(4)]
        for n, row in enumerate(rows):
            m.d.comb += row.eq(Array(self._table[16 * n : 16 * n + 16])[place[:4]])
        m.d.comb += self.tx.payload.eq(Array(rows)[place[4:]])
        with m.Switch(place):
            with m.Case(ERROR_START + TAG, INFO_START + TAG, RESULT_START + TAG):
                m.d.comb += self.tx.payload.eq(self._tag)
            with m.Case(ERROR_END):
                m.d.comb += self.tx.payload.eq(self._code)
        with m.If(self._sends(m)):
            m.d.sync += self._count.eq(self._count + 1)
            with m.Switch(place):
                with m.Case(ERROR_END, INFO_END):
                    self._go(m, "SEND_CRC")
                with m.Case(RESULT_END):
                    self._go(m, "RESULT")

    def _forward_result(self, m: Module) -> None:
        m.d.comb += self.tx.payload.eq(self.result.payload)
        m.d.comb += self.result.ready.eq(self._crc.i.ready & self.tx.ready)
        with m.If(self._sends(m, self.result.valid)):
            m.d.sync += self._count.eq(self._count + 1)
            with m.If(self._count == self.config.result_bytes - 1):
                self._go(m, "SEND_CRC")

    def _send_crc(self, m: Module) -> None:
        m.d.comb += self.tx.payload.eq(self._crc.crc[:8])
        with m.If(self._sends(m)):
            m.d.sync += self._count.eq(self._count + 1)
            with m.If(self._count[:2] == CRC_BYTES - 1):
                self._go(m, "HEADER")

    def _sends(self, m: Module, valid: ValueLike = 1) -> Value:
        """Offer a byte of the reply, if it is there; return whether it goes."""
        ready = self._crc.i.ready
        m.d.comb += [self.tx.valid.eq(ready & valid), self._crc.i.valid.eq(self.tx.ready & valid)]
        return self.tx.valid & self.tx.ready
