"""A switch for a stream of vectors, in hardware."""

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Route"]


class Route(wiring.Component):
    """Send the vectors of each job to one of two streams.

    Combinational; at least one cycle passes between jobs.

    Parameters
    ----------
    shape : Shape
        Of an element.
    width : int
        Elements of a vector.
    vectors : int
        Largest number of vectors in a job.

    Members
    -------
    job : In(stream.Signature(StructLayout(to_b, vectors)))
    i : In(stream.Signature(shape))
    a, b : Out(stream.Signature(shape))
    """

    job: stream.Interface
    i: stream.Interface
    a: stream.Interface
    b: stream.Interface

    def __init__(self, shape: Shape, *, width: int, vectors: int) -> None:
        self.width = width
        self.job_layout = data.StructLayout({"to_b": 1, "vectors": range(vectors + 1)})
        super().__init__(
            {
                "job": In(stream.Signature(self.job_layout)),
                "i": In(stream.Signature(shape)),
                "a": Out(stream.Signature(shape)),
                "b": Out(stream.Signature(shape)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        to_b = Signal()
        left = Signal.like(self.job.p.vectors, name="left")
        element = Signal(range(self.width))
        last = element == self.width - 1

        m.d.comb += self.job.ready.eq(left == 0)
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [to_b.eq(self.job.p.to_b), left.eq(self.job.p.vectors)]
        m.d.comb += [self.a.payload.eq(self.i.payload), self.b.payload.eq(self.i.payload)]
        m.d.comb += self.a.valid.eq(self.i.valid & (left != 0) & ~to_b)
        m.d.comb += self.b.valid.eq(self.i.valid & (left != 0) & to_b)
        m.d.comb += self.i.ready.eq((left != 0) & Mux(to_b, self.b.ready, self.a.ready))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += element.eq(Mux(last, 0, element + 1))
            m.d.sync += left.eq(left - last)
        return m
