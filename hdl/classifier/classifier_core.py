"""A weightless classifier behind streams of bytes."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ...model.network.lut_pruning import prune
from ...model.network.weightless_classifier import WeightlessClassifier
from ..lib.arithmetic import select
from ..lib.result_bytes import ResultBytes
from ..plan.classifier_plan import ClassifierPlan
from .classifier_engine import classifier_engine
from .classifier_streams import count_width
from .serial_encoder import SerialEncoder, encoder_cycles

__all__ = ["ClassifierCore"]


class ClassifierCore(wiring.Component):
    """Classify samples that arrive byte by byte.

    Of each word only the bits that are in use are kept, as it comes. The next sample is taken when
    the result of the one before has gone.

    Parameters
    ----------
    network : WeightlessClassifier
    plan : ClassifierPlan

    Members
    -------
    i : In(stream.Signature(8))
        The words of a sample, each the lowest byte first (docs/link.md).
    abort : In(1)
        Forget the bytes of an unfinished sample. Never with a byte, nor after the last one.
    o : Out(stream.Signature(8))
        Class (2 bytes), cycles of work on the sample (4), counts (4 each), little-endian. A cycle
        in which the core waits for a byte is none.
    busy : Out(1)
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    busy: Signal

    def __init__(self, network: WeightlessClassifier, plan: ClassifierPlan) -> None:
        self.network, self.pruned = network, prune(network)
        self.encoder = SerialEncoder(network.encoder, self.pruned)
        self.engine = classifier_engine(network, plan, encoded=True)
        self.result = ResultBytes(classes=network.classes, width=count_width(self.pruned) + 1)
        byte_stream = stream.Signature(8)
        super().__init__(
            {"i": In(byte_stream), "abort": In(1), "o": Out(byte_stream), "busy": Out(1)}
        )

    @property
    def latency(self) -> int:
        """Cycles from the last byte to the result."""
        return self.encoder.latency + self.engine.latency

    @property
    def cycles(self) -> int:
        """Cycles that a result reports."""
        return encoder_cycles(self.network.encoder, self.pruned) + self.engine.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.encoder = encoder = self.encoder
        m.submodules.engine = engine = self.engine
        m.submodules.result = result = self.result
        found = engine.o.payload
        connect(m, encoder.o, engine.i)
        connect(m, result.o, wiring.flipped(self.o))
        m.d.comb += [encoder.i.payload.eq(self.i.payload), encoder.abort.eq(self.abort)]
        m.d.comb += [encoder.i.valid.eq(self.i.valid & ~self.busy)]
        m.d.comb += [self.i.ready.eq(encoder.i.ready & ~self.busy)]
        m.d.comb += [result.valid.eq(engine.o.valid), engine.o.ready.eq(result.done)]
        counts = [found.counts[n] for n in range(self.network.classes)]
        m.d.comb += [result.winner.eq(found.index), result.logit.eq(select(counts, result.index))]
        takes, computes = self.i.valid & self.i.ready, self.busy & ~result.valid
        with m.If(takes | encoder.comparing | computes):
            m.d.sync += result.cycles.eq(result.cycles + 1)
        with m.If(encoder.full):
            m.d.sync += self.busy.eq(1)
        with m.If(result.done):
            m.d.sync += self.busy.eq(0)
        with m.If(result.done | self.abort):
            m.d.sync += result.cycles.eq(0)
        return m
