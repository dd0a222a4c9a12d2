"""A core behind AXI4-Stream: a frame in, a frame out."""

from enum import IntEnum
from typing import Any

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Const, Module, Mux, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

__all__ = ["AxiStream", "FrameError"]


class FrameError(IntEnum):
    """The errors of a frame, as the byte of its reply."""

    EARLY = 1  # tlast came before the frame's last beat
    LATE = 2  # tlast did not come with it


class AxiStream(wiring.Component):
    """Answer each frame of an AXI4-Stream by one frame, in their order (docs/core.md).

    A frame ends with the beat that has ``tlast``, and must have ``beats_in`` beats. One that ends
    early, or goes on, never starts the core: what the core has of it is aborted, what is left of it
    is skipped, and it is answered by a single beat with ``tuser`` set and a :class:`FrameError`
    as its byte, after the results of all frames before it. The next frame is a new one.

    There is no combinational path between the two interfaces, nor from ``tready`` to ``tvalid``
    or back. Two queues of two beats each see to that: they add a cycle each to the latency of the
    core, and take a beat every cycle.

    Parameters
    ----------
    core : wiring.Component
        Streams ``i`` and ``o`` of beats, and ``abort``.
    size : int
        Bytes of a beat.
    beats_in, beats_out : int
        Of a frame that the core takes, and of one that it gives.
    flying : int
        Frames that may be inside at a time: at least as many as the core can hold.

    Members
    -------
    aclk, aresetn : In(1)
        Clock, and synchronous reset, low. A reset forgets all frames, wherever they are.
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast
        Frames in; the first byte of a beat lowest.
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast, m_axis_tuser
        Frames out.
    """

    aclk: Signal
    aresetn: Signal
    s_axis_tdata: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    s_axis_tlast: Signal
    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal
    m_axis_tuser: Signal

    def __init__(
        self, core: Any, *, size: int = 1, beats_in: int, beats_out: int, flying: int
    ) -> None:
        self.core, self.size, self.flying = core, size, flying
        self.beats_in, self.beats_out = beats_in, beats_out
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(8 * size),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "s_axis_tlast": In(1),
                "m_axis_tdata": Out(8 * size),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "m_axis_tlast": Out(1),
                "m_axis_tuser": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains += ClockDomain("sync", local=True)
        m.submodules.core = self.core
        m.submodules.taken = self._taken = SyncFIFO(width=8 * self.size + 1, depth=2)
        m.submodules.given = self._given = SyncFIFO(width=8 * self.size + 2, depth=2)
        self._failed = Signal()  # a frame is to be answered by an error
        self._late = Signal()
        self._inside = Signal(range(self.flying + 1))
        self._started = Signal()
        self._finished = Signal()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        m.d.sync += self._inside.eq(self._inside + self._started - self._finished)
        self._ports(m)
        self._receive(m)
        self._reply(m)
        return m

    def _ports(self, m: Module) -> None:
        taken, given = self._taken, self._given
        m.d.comb += [
            taken.w_data.eq(Cat(self.s_axis_tlast, self.s_axis_tdata)),
            taken.w_en.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(taken.w_rdy),
            Cat(self.m_axis_tuser, self.m_axis_tlast, self.m_axis_tdata).eq(given.r_data),
            self.m_axis_tvalid.eq(given.r_rdy),
            given.r_en.eq(self.m_axis_tready),
        ]

    def _receive(self, m: Module) -> None:
        """Hand good beats to the core; skip to the end of a frame that is too long."""
        taken, core = self._taken, self.core
        place = Signal(range(self.beats_in))
        skipping = Signal()
        listens = Signal()
        due = Signal()
        wrong = Signal()
        last = taken.r_data[0]

        m.d.comb += due.eq(place == self.beats_in - 1)
        m.d.comb += wrong.eq(last != due)
        m.d.comb += listens.eq(~skipping & ~self._failed & (self._inside != self.flying))
        m.d.comb += core.i.payload.eq(taken.r_data[1:])
        m.d.comb += core.i.valid.eq(taken.r_rdy & listens & ~wrong)
        m.d.comb += core.abort.eq(taken.r_rdy & listens & wrong)
        m.d.comb += taken.r_en.eq(skipping | (listens & (core.i.ready | wrong)))
        m.d.comb += self._started.eq(core.i.valid & core.i.ready & due)
        with m.If(taken.r_rdy & skipping):
            m.d.sync += skipping.eq(~last)
        with m.If(core.abort):
            m.d.sync += [self._failed.eq(1), self._late.eq(due), skipping.eq(~last)]
        with m.If(core.abort | self._started):
            m.d.sync += place.eq(0)
        with m.Elif(core.i.valid & core.i.ready):
            m.d.sync += place.eq(place + 1)

    def _reply(self, m: Module) -> None:
        """Send the results, and after them the error."""
        given, core = self._given, self.core
        place = Signal(range(self.beats_out))
        last = Signal()
        error = Signal()

        m.d.comb += [last.eq(place == self.beats_out - 1)]
        m.d.comb += error.eq(self._failed & (self._inside == 0))
        m.d.comb += [given.w_en.eq(core.o.valid | error), core.o.ready.eq(given.w_rdy)]
        code = Mux(self._late, FrameError.LATE.value, FrameError.EARLY.value)
        m.d.comb += given.w_data.eq(
            Mux(error, Cat(Const(1, 1), Const(1, 1), code), Cat(Const(0, 1), last, core.o.payload))
        )
        m.d.comb += self._finished.eq(core.o.valid & core.o.ready & last)
        with m.If(error & given.w_rdy):
            m.d.sync += self._failed.eq(0)
        with m.If(core.o.valid & core.o.ready):
            m.d.sync += place.eq(Mux(last, 0, place + 1))
