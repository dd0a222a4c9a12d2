"""The accelerator: all engines of a network around its residual stream."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ..model.arithmetic import ACTIVATION_BITS
from ..model.network import Network
from .argmax import ArgMax
from .arithmetic import clamp
from .conditional_sum import ConditionalSumConfig
from .hamming_attention import HammingAttention
from .hamming_config import HammingAttentionConfig
from .layer_norm import LayerNorm
from .matvec import MatVec, MatVecConfig, stack
from .patches import Patches
from .plan import Plan
from .program import compile_network
from .residual import Residual
from .route import Route
from .sequencer import Sequencer
from .token_reader import TokenReader
from .weightless_mlp import WeightlessMlp

__all__ = ["Accelerator", "attention_config", "matvec_config", "readout_config"]


def matvec_config(network: Network, plan: Plan) -> MatVecConfig:
    """Return the layers of ``MatVec`` in the order of the program."""
    layers, raw = [network.embedding.patch], [0]
    for block in network.blocks:
        attention = block.attention
        layers += [stack(attention.query, attention.key, attention.value), attention.output]
        raw += [attention.query.rows + attention.key.rows, 0]
    return MatVecConfig(
        layers=(*layers, network.head),
        raw=(*raw, network.head.rows),
        shift=network.requant_shift,
        inputs=plan.inputs,
        rows=plan.rows,
        vectors=network.tokens,
        dsp=plan.dsp_scale,
        registers=plan.registers,
    )


def attention_config(network: Network, plan: Plan) -> HammingAttentionConfig:
    """Return the attention layers of the network."""
    layers = tuple(block.attention for block in network.blocks)
    return HammingAttentionConfig(
        layers=layers,
        tokens=network.tokens,
        columns=min(plan.columns, layers[0].head_width),
        dsp_values=plan.dsp_values,
        dsp_divide=plan.dsp_divide,
        narrow=plan.narrow,
        registers=plan.registers,
    )


def readout_config(network: Network, plan: Plan) -> ConditionalSumConfig:
    """Return the conditional sums of the network."""
    layers = tuple(block.mlp.readout for block in network.blocks)
    return ConditionalSumConfig(layers=layers, lanes=plan.lanes, registers=plan.registers)


class Accelerator(wiring.Component):
    """Classify images.

    Computes docs/math.md as a whole, equal in every bit to :func:`lutformer.model.golden.golden`.
    An image starts the program as soon as its last pixel has come; the next image may arrive once
    the patches of the first have left.

    Parameters
    ----------
    network : Network
    plan : Plan

    Members
    -------
    i : In(stream.Signature(8))
        Pixels of an image: row by row, channels last.
    abort : In(1)
        Forget the pixels of an unfinished image.
    o : Out(stream.Signature(8))
        Class (2 bytes), cycles from the last pixel to the last logit (4), logits (4 each),
        little-endian.
    busy : Out(1)
    written : Out(StructLayout(valid, mlp, value))
        Every value written to the residual stream and its writer, for verification.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    busy: Signal
    written: data.View

    def __init__(self, network: Network, plan: Plan) -> None:
        self.network, self.plan = network, plan
        self.patches = Patches(network.embedding)
        self.layer_norm = LayerNorm(
            network.norm, dsp=plan.dsp_norm, narrow=plan.narrow, registers=plan.registers
        )
        self.matvec = MatVec(matvec_config(network, plan))
        self.attention = HammingAttention(attention_config(network, plan))
        self.mlp = WeightlessMlp(
            [block.mlp for block in network.blocks],
            readout=readout_config(network, plan),
            tokens=network.tokens,
        )
        self.residual = Residual(network.embedding, mlp_width=len(self.mlp.o.payload))
        self.reader = TokenReader(
            tokens=network.tokens,
            width=network.width,
            class_token=network.embedding.class_token,
        )
        self.route = Route(signed(ACTIVATION_BITS), width=network.width, vectors=network.tokens)
        self.argmax = ArgMax(classes=network.classes, width=self.matvec.config.accumulator_width)
        self.sequencer = Sequencer(
            compile_network(network),
            blocks=len(network.blocks),
            vectors=network.tokens,
            layers=len(self.matvec.config.layers),
        )
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "abort": In(1),
                "o": Out(stream.Signature(8)),
                "busy": Out(1),
                "written": Out(self.residual.written.shape()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sequencer = self.sequencer
        m.submodules.patches = self.patches
        m.submodules.residual = self.residual
        m.submodules.reader = self.reader
        m.submodules.layer_norm = self.layer_norm
        m.submodules.route = self.route
        m.submodules.matvec = self.matvec
        m.submodules.attention = self.attention
        m.submodules.mlp = self.mlp
        m.submodules.argmax = self.argmax
        self._run(m)
        self._hand_out(m)
        self._connect(m)
        return m

    def _run(self, m: Module) -> None:
        """Start with an image, count the cycles, end with a result."""
        sequencer, patches = self.sequencer, self.patches
        connect(m, wiring.flipped(self.i), patches.i)
        connect(m, wiring.flipped(self.o), self.argmax.o)
        m.d.comb += [patches.abort.eq(self.abort), self.written.eq(self.residual.written)]
        m.d.comb += [sequencer.start.eq(patches.full), sequencer.done.eq(self.argmax.done)]
        m.d.comb += [self.busy.eq(sequencer.busy)]
        with m.If(sequencer.busy):
            m.d.sync += self.argmax.cycles.eq(self.argmax.cycles + 1)
        with m.Elif(patches.full):
            m.d.sync += self.argmax.cycles.eq(0)

    def _hand_out(self, m: Module) -> None:
        """Give each engine its part of an instruction."""
        s = self.sequencer
        for engine, job, parts in (
            (s.patches, self.patches.job, {}),
            (s.residual, self.residual.job, {None: "embed"}),
            (s.reader, self.reader.job, {"after_mlp": "after_mlp", "pool": "pool"}),
            (s.route, self.route.job, {"to_b": "to_mlp", "vectors": "vectors"}),
            (s.matvec, self.matvec.job, {"layer": "layer", "vectors": "vectors"}),
            (s.attention, self.attention.job, {None: "block"}),
            (s.mlp, self.mlp.job, {None: "block"}),
        ):
            m.d.comb += [job.valid.eq(engine.valid), engine.ready.eq(job.ready)]
            for target, source in parts.items():
                payload = job.payload if target is None else job.payload[target]
                m.d.comb += payload.eq(engine.payload[source])

    def _connect(self, m: Module) -> None:
        """Join the engines' streams."""
        matvec, attention = self.matvec, self.attention
        connect(m, self.residual.request, self.reader.request)
        connect(m, self.residual.reply, self.reader.reply)
        m.d.comb += self.reader.linear_done.eq(self.residual.linear_done)
        m.d.comb += self.reader.mlp_done.eq(self.residual.mlp_done)
        connect(m, self.reader.o, self.layer_norm.i)
        connect(m, self.layer_norm.o, self.route.i)
        connect(m, self.route.b, self.mlp.i)
        connect(m, self.mlp.o, self.residual.mlp)
        last = len(matvec.config.layers) - 1
        embeds, is_head = matvec.layer == 0, matvec.layer == last
        mixes = ~matvec.layer[0] & ~embeds  # 1, 3, ... project to codes and values, 2, 4, ... back
        sources = ((embeds, self.patches.o), (mixes, attention.o), (~embeds & ~mixes, self.route.a))
        m.d.comb += matvec.i.valid.eq(Cat(on & source.valid for on, source in sources).any())
        for on, source in sources:
            m.d.comb += source.ready.eq(on & matvec.i.ready)
            with m.If(on):
                m.d.comb += matvec.i.payload.eq(source.payload)
        projects = ~embeds & ~mixes & ~is_head
        _fork(m, matvec.raw, ((is_head, self.argmax.i), (projects, attention.codes)))
        m.d.comb += self.argmax.i.payload.eq(matvec.raw.payload)
        m.d.comb += attention.codes.payload.eq(~matvec.raw.payload[-1])
        _fork(m, matvec.scaled, ((projects, attention.values), (~projects, self.residual.linear)))
        m.d.comb += attention.values.payload.eq(clamp(matvec.scaled.payload, ACTIVATION_BITS))
        m.d.comb += self.residual.linear.payload.eq(matvec.scaled.payload)


def _fork(m: Module, source: stream.Interface, sinks: tuple) -> None:
    """Offer a stream to whichever sink's condition holds."""
    for on, sink in sinks:
        m.d.comb += sink.valid.eq(source.valid & on)
    m.d.comb += source.ready.eq(Cat(sink.ready & on for on, sink in sinks).any())
