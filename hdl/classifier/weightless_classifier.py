"""The stand-alone weightless classifier (DWN) in hardware."""

from amaranth.hdl import Cat, Module, Shape, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.network import weightless_classifier as golden
from ...model.network.lut_pruning import prune
from ..luts.circuit import connect_graph
from ..luts.fabric import FABRICS
from ..luts.graph import ZERO, LutGraph
from ..luts.schedule import schedule
from ..plan.classifier_plan import ClassifierPlan
from .classifier_graph import classify
from .classifier_streams import count_width, input_layout, result_layout
from .feature_encoder import encode

__all__ = ["WeightlessClassifier"]


class WeightlessClassifier(wiring.Component):
    """Classify one sample a cycle.

    Computes docs/math.md, Eq. 15, 16, 37 and 21, equal in every bit to
    :func:`lutformer.model.network.weightless_classifier.weightless_classifier`. The network is
    pruned, and from the comparators to the class it is one graph of tables of four inputs, mapped
    here, with registers wherever ``plan.rows`` tables follow each other.

    Latency is :attr:`latency` cycles, throughput one sample per cycle. While ``o`` is stalled the
    whole pipeline holds.

    Parameters
    ----------
    network : WeightlessClassifier
    plan : ClassifierPlan

    encoded : bool
        Whether ``i`` carries the bits of the encoder that are in use, as :func:`.lut_pruning.prune`
        orders them, instead of words.

    Members
    -------
    i : In(stream.Signature(ArrayLayout(signed or unsigned(bits), features)))
        The words of a sample.
    o : Out(stream.Signature(StructLayout({"index": ..., "counts": ArrayLayout(..., classes)})))
        The class, and what each class counts.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self, network: golden.WeightlessClassifier, plan: ClassifierPlan, *, encoded: bool = False
    ) -> None:
        self.network, self.plan, self.fabric = network, plan, FABRICS[plan.fabric]
        pruned, draft = prune(network), LutGraph(self.fabric.fan_in)
        payload = input_layout(network.encoder, pruned, encoded=encoded)
        inputs = [draft.input() for _ in range(Shape.cast(payload).width)]
        size = network.encoder.bits
        words = [inputs[n : n + size] for n in range(0, len(inputs), size)]
        bits = inputs if encoded else encode(draft, words, pruned.bits, network.encoder)
        results = classify(draft, bits, pruned, self.fabric.widths)
        self.result = result_layout(pruned)
        roots = [*results.index]
        for count in results.counts:
            roots += [*count, *[ZERO] * (count_width(pruned) - len(count))]
        self.graph, self.roots = draft.reduced(roots)
        depth = max(self.graph.levels[root] for root in self.roots)
        self.stages = -(-max(depth, 1) // plan.rows) if plan.rows else 0
        super().__init__(
            {"i": In(stream.Signature(payload)), "o": Out(stream.Signature(self.result))}
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
            list(Value.cast(self.i.payload)),
            self.roots,
            stage=schedule(self.graph, self.roots, self.stages),
            stages=self.stages,
            step=step,
            fabric=self.fabric,
        )
        m.d.comb += self.o.payload.as_value().eq(Cat(*outputs))
        return m
