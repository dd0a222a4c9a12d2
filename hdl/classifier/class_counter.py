"""Counting the set bits of one class after the other, and the class that has most."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..lib.arithmetic import popcount, select

__all__ = ["ClassCounter"]


class ClassCounter(wiring.Component):
    """Count the bits of each class and find the largest count.

    Computes docs/math.md, Eq. 37 and 21. One word a cycle; a result is offered one cycle after the
    last word of the last class, and no word is taken before it has gone.

    Parameters
    ----------
    words : sequence of int
        How many words of ``lanes`` bits each class has.
    constants : sequence of int
        What each class counts besides.
    result : StructLayout
        As :func:`.classifier_streams.result_layout` has it.

    Members
    -------
    i : In(stream.Signature(lanes))
        The words of class 0, then those of the next.
    o : Out(stream.Signature(result))
    """

    latency = 1

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        lanes: int,
        words: Sequence[int],
        constants: Sequence[int],
        result: data.StructLayout,
    ) -> None:
        self.words, self.constants = tuple(words), tuple(constants)
        super().__init__({"i": In(stream.Signature(lanes)), "o": Out(stream.Signature(result))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        classes, counts = len(self.words), self.o.payload.counts.as_value()
        width = len(counts) // classes
        index, place = Signal(range(classes)), Signal(range(max(self.words)))
        count, total, best = (Signal(width, name=name) for name in ("count", "total", "best"))
        first, last = Signal(), Signal()  # word of the class
        take = Signal()

        m.d.comb += [self.i.ready.eq(~self.o.valid), take.eq(self.i.valid & self.i.ready)]
        m.d.comb += [first.eq(place == 0), last.eq(place == self._of_class(self.words, index, -1))]
        before = Mux(first, self._of_class(self.constants, index), total)
        m.d.comb += count.eq(before + popcount(self.i.payload))
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(take):
            m.d.sync += [total.eq(count), place.eq(Mux(last, 0, place + 1))]
        with m.If(take & last):
            m.d.sync += counts.eq(Cat(counts, count)[width:])
            m.d.sync += index.eq(Mux(index == classes - 1, 0, index + 1))
            m.d.sync += self.o.valid.eq(index == classes - 1)
            with m.If((index == 0) | (count > best)):
                m.d.sync += [best.eq(count), self.o.payload.index.eq(index)]
        return m

    def _of_class(self, values: Sequence[int], index: Value, plus: int = 0) -> Value:
        return select([Const(value + plus) for value in values], index)
