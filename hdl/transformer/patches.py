"""Image memory and the order in which patches leave it, in hardware."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import ACTIVATION_BITS
from ...model.embedding import Embedding
from ..lib.memory import block_memory

__all__ = ["Patches"]


class Patches(wiring.Component):
    """Take an image byte by byte, and give it out patch by patch with 128 subtracted.

    The order is that of :func:`lutformer.model.embedding.patches`. Where token 0 is the class
    token, the first patch leaves twice: the residual stream discards what becomes of the first.

    One pixel a cycle; :attr:`latency` cycles from the job to the first pixel.

    Parameters
    ----------
    embedding : Embedding

    Members
    -------
    i : In(stream.Signature(8))
        Pixels row by row, channels last.
    abort : In(1)
        Forget the pixels of an unfinished image.
    full : Out(1)
        An image is complete; no more pixels are taken until its patches have left.
    job : In(stream.Signature(0))
        Give the patches out.
    o : Out(stream.Signature(signed(8)))
    """

    latency = 2

    i: stream.Interface
    abort: Signal
    full: Signal
    job: stream.Interface
    o: stream.Interface

    def __init__(self, embedding: Embedding) -> None:
        self.embedding = embedding
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "abort": In(1),
                "full": Out(1),
                "job": In(stream.Signature(0)),
                "o": Out(stream.Signature(signed(ACTIVATION_BITS))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        e = self.embedding
        m.submodules.pixels = memory = block_memory(
            shape=unsigned(8),
            depth=e.pixels,
        )
        write, read = memory.write_port(), memory.read_port()
        at = Signal(range(e.pixels))

        m.d.comb += [write.addr.eq(at), write.data.eq(self.i.payload), self.i.ready.eq(~self.full)]
        with m.If(self.i.valid & self.i.ready):
            m.d.comb += write.en.eq(1)
            m.d.sync += at.eq(at + 1)
            with m.If(at == e.pixels - 1):
                m.d.sync += [at.eq(0), self.full.eq(1)]
        with m.If(self.abort & ~self.full):
            m.d.sync += at.eq(0)
        step = Signal()
        m.d.comb += step.eq(self.o.ready | ~self.o.valid)
        issue = self._sweep(m, step, read)
        with m.If(step):
            m.d.sync += self.o.valid.eq(issue)
        m.d.comb += self.o.payload.eq((read.data ^ 0x80).as_signed())
        return m

    def _sweep(self, m: Module, step: Signal, read: Any) -> Signal:
        """Address the pixels in the order of the patches; return whether one is read."""
        e = self.embedding
        run = e.patch_width * e.channels  # pixels of a patch that lie side by side
        line = e.width * e.channels
        _, across = e.grid
        pixel = Signal(range(run))
        row = Signal(range(e.patch_height))
        column = Signal(range(across))
        address = Signal(range(e.pixels + line + run))
        patch_at = Signal.like(address)
        again = Signal()  # the class token's turn
        issue = Signal()
        last_pixel = pixel == run - 1
        last_row = last_pixel & (row == e.patch_height - 1)
        last_patch = patch_at == e.pixels - (e.patch_height - 1) * line - run

        m.d.comb += [read.addr.eq(address), read.en.eq(step)]
        with m.FSM(name="sweep"):
            with m.State("idle"):
                m.d.comb += self.job.ready.eq(1)
                m.d.sync += [address.eq(0), patch_at.eq(0), again.eq(int(e.class_token))]
                with m.If(self.job.valid):
                    m.next = "sweep"
            with m.State("sweep"):
                m.d.comb += issue.eq(1)
                with m.If(step):
                    m.d.sync += pixel.eq(Mux(last_pixel, 0, pixel + 1))
                    m.d.sync += address.eq(Mux(last_pixel, address + line - run + 1, address + 1))
                with m.If(step & last_pixel):
                    m.d.sync += row.eq(Mux(last_row, 0, row + 1))
                with m.If(step & last_row & again):
                    m.d.sync += [again.eq(0), address.eq(0)]
                with m.Elif(step & last_row):
                    wrap = column == across - 1
                    following = Signal.like(address)
                    skip = run + (e.patch_height - 1) * line
                    m.d.comb += following.eq(patch_at + Mux(wrap, skip, run))
                    m.d.sync += [column.eq(Mux(wrap, 0, column + 1))]
                    m.d.sync += [patch_at.eq(following), address.eq(following)]
                    with m.If(last_patch):
                        m.d.sync += self.full.eq(0)
                        m.next = "idle"
        return issue
