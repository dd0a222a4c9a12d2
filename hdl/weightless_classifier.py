"""The stand-alone weightless classifier (DWN) in hardware."""

from amaranth.hdl import Cat, Module, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..model import weightless_classifier as golden
from ..model.lut_pruning import prune
from .classifier_graph import classify
from .classifier_plan import ClassifierPlan
from .fabric import FABRICS
from .feature_encoder import encode
from .lut_circuit import connect_graph
from .lut_graph import LutGraph
from .lut_schedule import schedule

__all__ = ["WeightlessClassifier"]


class WeightlessClassifier(wiring.Component):
    """Classify one sample a cycle.

    Computes docs/math.md, Eq. 15, 16, 37 and 21, equal in every bit to
    :func:`lutformer.model.weightless_classifier.weightless_classifier`. The network is pruned, and
    from the comparators to the class it is one graph of tables of four inputs, mapped here, with
    registers wherever ``plan.rows`` tables follow each other.

    Latency is :attr:`latency` cycles, throughput one sample per cycle. While ``o`` is stalled the
    whole pipeline holds.

    Parameters
    ----------
    network : WeightlessClassifier
    plan : ClassifierPlan

    Members
    -------
    i : In(stream.Signature(ArrayLayout(signed or unsigned(bits), features)))
        The words of a sample.
    o : Out(stream.Signature(StructLayout({"index": ..., "counts": ArrayLayout(..., classes)})))
        The class, and what each class counts.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, network: golden.WeightlessClassifier, plan: ClassifierPlan) -> None:
        self.network, self.plan, self.fabric = network, plan, FABRICS[plan.fabric]
        encoder = network.encoder
        pruned, draft = prune(network), LutGraph(self.fabric.fan_in)
        words = [[draft.input() for _ in range(encoder.bits)] for _ in range(encoder.features)]
        bits = encode(draft, words, pruned.bits, encoder)
        results = classify(draft, bits, pruned, self.fabric.widths)
        self.index_width = len(results.index)
        self.count_width = max(map(len, results.counts))
        roots = [*results.index]
        for count in results.counts:
            roots += [*count, *[0] * (self.count_width - len(count))]
        self.graph, self.roots = draft.reduced(roots)
        depth = max(self.graph.levels[root] for root in self.roots)
        self.stages = -(-max(depth, 1) // plan.rows) if plan.rows else 0
        word = signed(encoder.bits) if encoder.signed else unsigned(encoder.bits)
        counts = data.ArrayLayout(self.count_width, network.classes)
        result = data.StructLayout({"index": self.index_width, "counts": counts})
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(word, encoder.features))),
                "o": Out(stream.Signature(result)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a sample to its class, 0 without registers."""
        return self.stages

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step = Signal()  # every register moves together, so a stall loses nothing
        if self.stages:
            valid = Signal(self.stages)
            with m.If(step):
                m.d.sync += valid.eq(Cat(self.i.valid, valid))
            m.d.comb += [step.eq(self.o.ready | ~self.o.valid), self.o.valid.eq(valid[-1])]
        else:
            m.d.comb += [step.eq(self.o.ready), self.o.valid.eq(self.i.valid)]
        m.d.comb += self.i.ready.eq(step)
        outputs = connect_graph(
            m,
            self.graph,
            list(self.i.payload.as_value()),
            self.roots,
            stage=schedule(self.graph, self.roots, self.stages),
            stages=self.stages,
            step=step,
            fabric=self.fabric,
        )
        m.d.comb += self.o.payload.as_value().eq(Cat(*outputs))
        return m
