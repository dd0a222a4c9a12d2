"""A weightless classifier's core of whole samples, behind streams of a few bytes at a time."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.network.weightless_classifier import FeatureEncoder
from ..lib.arithmetic import select
from ..lib.result_bytes import CLASS_BYTES, CYCLE_BYTES, LOGIT_BYTES

__all__ = ["ClassifierBeats"]


class ClassifierBeats(wiring.Component):
    """Gather the bytes of a sample, and send its result as the payload of a RESULT.

    While a result is sent, the core goes on and the next samples are gathered: a sample takes as
    many cycles as it has beats, or as its result has if those are more, or as the core takes.

    Parameters
    ----------
    core : wiring.Component
        With the streams of ``WeightlessClassifier``.
    encoder : FeatureEncoder
        Says of which bytes a word consists.
    latency : int
        Cycles of the core from a sample to its class: what results report.
    size : int
        Bytes of a beat, the first one lowest.

    Members
    -------
    i : In(stream.Signature(8 * size))
        Bytes of a sample (docs/link.md); what the last beat has beyond them is not looked at.
    abort : In(1)
        Forget the bytes of an unfinished sample; not with a beat.
    o : Out(stream.Signature(8 * size))
        Class (2 bytes), cycles (4), counts (4 each), little-endian, and zeros to the end of a beat.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface

    def __init__(self, core: Any, encoder: FeatureEncoder, *, latency: int, size: int) -> None:
        self.core, self.encoder, self.latency, self.size = core, encoder, latency, size
        beat = stream.Signature(8 * size)
        super().__init__({"i": In(beat), "abort": In(1), "o": Out(beat)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = self.core
        self._gather(m)
        self._send(m)
        return m

    def _gather(self, m: Module) -> None:
        core, encoder = self.core, self.encoder
        count = -(-encoder.features * encoder.word_bytes // self.size)
        sample = Signal(8 * self.size * count)
        place = Signal(range(count))
        word = 8 * encoder.word_bytes
        words = [sample[n * word : n * word + encoder.bits] for n in range(encoder.features)]

        m.d.comb += core.i.payload.as_value().eq(Cat(*words))
        m.d.comb += self.i.ready.eq(core.i.ready | ~core.i.valid)
        with m.If(core.i.ready):
            m.d.sync += core.i.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += sample.eq(Cat(sample, self.i.payload)[8 * self.size :])
            m.d.sync += place.eq(place + 1)
            with m.If(place == count - 1):
                m.d.sync += [place.eq(0), core.i.valid.eq(1)]
        with m.If(self.abort):
            m.d.sync += place.eq(0)

    def _send(self, m: Module) -> None:
        core, size = self.core, 8 * self.size
        found = Signal.like(core.o.payload)
        full = Signal()
        counts = [found.counts[n] for n in range(found.shape().members["counts"].length)]
        result = Cat(
            _widened(found.index, CLASS_BYTES),
            Const(self.latency, 8 * CYCLE_BYTES),
            *(_widened(count, LOGIT_BYTES) for count in counts),
        )
        beats = [result[n : n + size] for n in range(0, len(result), size)]
        place = Signal(range(len(beats)))
        last = place == len(beats) - 1

        m.d.comb += [self.o.valid.eq(full), self.o.payload.eq(select(beats, place))]
        m.d.comb += core.o.ready.eq(~full | (self.o.ready & last))
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += place.eq(Mux(last, 0, place + 1))
        with m.If(core.o.ready):
            m.d.sync += [full.eq(core.o.valid), found.eq(core.o.payload)]


def _widened(value: Value, size: int) -> Value:
    return Cat(value, Const(0, 8 * size))[: 8 * size]
