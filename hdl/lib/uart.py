"""Asynchronous serial line: eight data bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["UartReceiver", "UartTransmitter"]

LEAST_DIVISOR = 4


def _checked(divisor: int) -> int:
    if divisor < LEAST_DIVISOR:
        raise ValueError(f"Divisor must be at least {LEAST_DIVISOR} clocks a bit, not {divisor!r}")
    return divisor


class UartReceiver(wiring.Component):
    """Receives bytes from a serial line.

    Bytes may follow each other without a pause, from a sender whose clock is off by 2 %. A byte
    without stop bit is dropped, and nothing is received until the line has been high again. A byte
    that comes while the one before it still waits to be taken is dropped as well.

    The byte is offered in the middle of its stop bit.

    Parameters
    ----------
    divisor : int
        Clock cycles a bit.

    Members
    -------
    rx : In(1)
        The line; asynchronous.
    o : Out(stream.Signature(8))
        The bytes.
    error : Out(1)
        High for one cycle when a byte was dropped.
    """

    rx: Signal
    o: stream.Interface
    error: Signal

    def __init__(self, divisor: int) -> None:
        self.divisor = _checked(divisor)
        line = In(1, init=1)  # pyright: ignore[reportCallIssue]  # the stubs lack init
        super().__init__({"rx": line, "o": Out(stream.Signature(8)), "error": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, line, init=1)
        timer = Signal(range(self.divisor))
        bits = Signal(range(10))  # to come: start bit, data bits, stop bit
        lost = Signal()  # the byte before was not taken in time

        m.d.sync += self.error.eq(0)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM():
            # A start bit is an edge: the line must have been high.
            with m.State("HIGH"), m.If(line):
                m.next = "START"
            with m.State("START"):
                m.d.sync += [timer.eq(self.divisor // 2 - 1), bits.eq(9)]
                with m.If(~line):
                    m.next = "BITS"
            with m.State("BITS"):
                m.d.sync += timer.eq(timer - 1)
                with m.If(timer == 0):
                    m.d.sync += [timer.eq(self.divisor - 1), bits.eq(bits - 1)]
                    with m.If((bits == 9) & line):  # a glitch, shorter than half a bit
                        m.next = "START"
                    with m.If(bits == 9):
                        m.d.sync += lost.eq(self.o.valid)
                    with m.Elif((bits != 0) & ~lost):
                        m.d.sync += self.o.payload.eq(Cat(self.o.payload[1:], line))
                    with m.If(bits == 0):
                        with m.If(line & ~lost):
                            m.d.sync += self.o.valid.eq(1)
                        m.d.sync += self.error.eq(~line | lost)
                        m.next = "START"
                        with m.If(~line):
                            m.next = "HIGH"
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes on a serial line, without a pause while there are any.

    The start bit follows the transfer by one cycle. Throughput is one byte in ``10 * divisor``
    cycles.

    Parameters
    ----------
    divisor : int
        Clock cycles a bit.

    Members
    -------
    i : In(stream.Signature(8))
        The bytes.
    tx : Out(1)
        The line.
    """

    i: stream.Interface
    tx: Signal

    def __init__(self, divisor: int) -> None:
        self.divisor = _checked(divisor)
        line = Out(1, init=1)  # pyright: ignore[reportCallIssue]  # the stubs lack init
        super().__init__({"i": In(stream.Signature(8)), "tx": line})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer = Signal(range(self.divisor))
        # Start bit first, then data, then the stop bit; the last one in it is always the stop bit.
        frame = Signal(10, init=1)
        last = Signal()

        m.d.comb += self.tx.eq(frame[0])
        m.d.comb += last.eq(frame[1:] == 0)
        m.d.comb += self.i.ready.eq(last & (timer == 0))
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(~last):
            m.d.sync += [frame.eq(frame >> 1), timer.eq(self.divisor - 1)]
        with m.Elif(self.i.valid):
            m.d.sync += frame.eq(Cat(Const(0, 1), self.i.payload, Const(1, 1)))
            m.d.sync += timer.eq(self.divisor - 1)
        return m
