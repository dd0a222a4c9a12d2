"""The stand-alone weightless classifier (DWN) with its tables in block RAM."""

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ...model.network import weightless_classifier as golden
from ...model.network.lut_pruning import prune
from ..luts.circuit import connect_graph
from ..luts.fabric import FABRICS
from ..luts.graph import LutGraph
from ..plan.classifier_plan import ClassifierPlan
from .class_counter import ClassCounter
from .classifier_streams import input_layout, result_layout
from .feature_encoder import encode
from .folded_lut_layers import FoldedLutLayers
from .folded_tables import class_words, folded_tables

__all__ = ["FoldedClassifier"]


class FoldedClassifier(wiring.Component):
    """Classify with few tables in the circuit, a sample after the other.

    Computes docs/math.md, Eq. 15, 16, 37 and 21, equal in every bit to
    :func:`lutformer.model.network.weightless_classifier.weightless_classifier`, and has the streams
    of :class:`~lutformer.hdl.classifier.weightless_classifier.WeightlessClassifier`. The tables of
    the pruned network are looked up ``plan.lanes`` at a time, layer after layer; then the classes
    are counted while the last layer's bits come.

    Latency is :attr:`latency` cycles; the next sample is taken when the last layer has been looked
    up. While ``o`` is stalled nothing is lost.

    Parameters
    ----------
    network : WeightlessClassifier
    plan : ClassifierPlan
        Its ``lanes`` are not 0.
    encoded : bool
        As for :class:`~lutformer.hdl.classifier.weightless_classifier.WeightlessClassifier`.

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
        self.network, self.plan, self.encoded = network, plan, encoded
        self.pruned = prune(network)
        self.layers = FoldedLutLayers(folded_tables(self.pruned, plan.lanes), lanes=plan.lanes)
        self.result = result_layout(self.pruned)
        payload = input_layout(network.encoder, self.pruned, encoded=encoded)
        super().__init__(
            {"i": In(stream.Signature(payload)), "o": Out(stream.Signature(self.result))}
        )

    @property
    def latency(self) -> int:
        """Cycles from a sample to its class."""
        return self.layers.latency + self.layers.steps[-1] - 1 + ClassCounter.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.layers = layers = self.layers
        m.submodules.counter = counter = ClassCounter(
            lanes=self.plan.lanes,
            words=class_words(self.pruned, self.plan.lanes),
            constants=self.pruned.constants,
            result=self.result,
        )
        m.d.comb += [layers.i.valid.eq(self.i.valid), self.i.ready.eq(layers.i.ready)]
        inputs = Value.cast(self.i.payload)
        m.d.comb += layers.i.payload.eq(inputs if self.encoded else self._encoded(m, inputs))
        connect(m, layers.o, counter.i)
        connect(m, counter.o, wiring.flipped(self.o))
        return m

    def _encoded(self, m: Module, words: Value) -> Value:
        """Return the bits of the encoder that are in use."""
        encoder, graph = self.network.encoder, LutGraph()
        inputs = [[graph.input() for _ in range(encoder.bits)] for _ in range(encoder.features)]
        roots = encode(graph, inputs, self.pruned.bits, encoder)
        bits = connect_graph(
            m,
            graph,
            list(words),
            roots,
            stage=[0] * len(graph.sources),
            stages=0,
            step=Const(1),
            fabric=FABRICS[self.plan.fabric],
        )
        return Cat(*bits)
