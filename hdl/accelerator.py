"""The accelerator: all engines of a network around its residual stream."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ..model.arithmetic import ACTIVATION_BITS
from ..model.network import Network
from .argmax import ArgMax
from .arithmetic import clamp
from .attention import AttentionConfig, attention_config, attention_engine, streams
from .fifo import BlockFifo
from .layer_norm import LayerNorm
from .matvec import MatVec, MatVecConfig
from .mlp import MlpConfig, WeightlessConfig, mlp_config, mlp_engine
from .passes import passes
from .patches import Patches
from .plan import Plan
from .program import compile_network
from .residual import Residual
from .route import Route
from .sequencer import Sequencer
from .token_reader import TokenReader

__all__ = ["Accelerator", "attention_of", "matvec_of", "mlp_of"]


def matvec_of(network: Network, plan: Plan) -> MatVecConfig:
    """Return the layers of ``MatVec`` in the order of the program."""
    steps = passes(network)
    return MatVecConfig(
        layers=tuple(step.layer for step in steps),
        raw=tuple(step.raw for step in steps),
        shift=network.requant_shift,
        inputs=plan.inputs,
        rows=plan.rows,
        vectors=network.tokens,
        dsp=plan.dsp_scale,
        registers=plan.registers,
    )


def attention_of(network: Network, plan: Plan) -> AttentionConfig:
    """Return the attention layers of the network."""
    return attention_config([b.attention for b in network.blocks], network.tokens, plan)


def mlp_of(network: Network, plan: Plan) -> MlpConfig:
    """Return the MLPs of the network."""
    return mlp_config([block.mlp for block in network.blocks], network.tokens, plan)


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
        self.matvec = MatVec(matvec_of(network, plan))
        self.attention = attention_engine(attention_of(network, plan))
        mlp = mlp_of(network, plan)
        self.mlp, self.adds = mlp_engine(mlp), isinstance(mlp, WeightlessConfig)
        self.residual = Residual(
            network.embedding,
            mlp_width=len(self.mlp.o.payload) if self.adds else 1,
        )
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
        matvec, attention, mlp = self.matvec, self.attention, self.mlp
        connect(m, self.residual.request, self.reader.request)
        connect(m, self.residual.reply, self.reader.reply)
        m.d.comb += self.reader.linear_done.eq(self.residual.linear_done)
        m.d.comb += self.reader.mlp_done.eq(self.residual.mlp_done)
        connect(m, self.reader.o, self.layer_norm.i)
        connect(m, self.layer_norm.o, self.route.i)
        mixed = self._kept(m) if streams(attention.config) else attention.o
        sources = {"patches": self.patches.o, "norm": self.route.a, "attention": mixed}
        scaled = {"values": attention.values, "residual": self.residual.linear}
        raw = {"argmax": self.argmax.i}
        if self.adds:
            connect(m, self.route.b, mlp.i)
            connect(m, mlp.o, self.residual.mlp)
        else:
            sources["mlp"], scaled["mlp"] = mlp.o, mlp.i
        if hasattr(attention, "codes"):
            raw["codes"] = attention.codes
            m.d.comb += attention.codes.payload.eq(~matvec.raw.payload[-1])
        at_hand = self._at_hand(m)
        _join(m, [(at_hand["source", name], source) for name, source in sources.items()], matvec.i)
        _fork(m, matvec.raw, [(at_hand["raw_to", name], sink) for name, sink in raw.items()])
        scaled_to = [(at_hand["scaled_to", name], sink) for name, sink in scaled.items()]
        _fork(m, matvec.scaled, scaled_to)
        m.d.comb += self.argmax.i.payload.eq(matvec.raw.payload)
        m.d.comb += self.residual.linear.payload.eq(matvec.scaled.payload)
        narrow = clamp(matvec.scaled.payload, ACTIVATION_BITS)
        for name, sink in scaled.items():
            if name != "residual":
                m.d.comb += sink.payload.eq(narrow)

    def _kept(self, m: Module) -> stream.Interface:
        """Keep all mixed tokens: ``MatVec`` has no use for them while it still projects others."""
        network = self.network
        values = network.tokens * network.blocks[0].attention.value.rows
        m.submodules.mixed = mixed = BlockFifo(signed(ACTIVATION_BITS), values)
        connect(m, self.attention.o, mixed.i)
        return mixed.o

    def _at_hand(self, m: Module) -> dict[tuple[str, str], Signal]:
        """Decode which sources and sinks belong to the layer that ``MatVec`` is at."""
        steps = passes(self.network)
        signals: dict[tuple[str, str], Signal] = {}
        with m.Switch(self.matvec.layer):
            for number, step in enumerate(steps):
                with m.Case(number):
                    for end in ("source", "raw_to", "scaled_to"):
                        name = getattr(step, end)
                        if name is not None:
                            key = (end, name)
                            signals.setdefault(key, Signal(name=f"{end}_{name}"))
                            m.d.comb += signals[key].eq(1)
        return signals


Ends = list[tuple[Signal, stream.Interface]]


def _join(m: Module, sources: Ends, sink: stream.Interface) -> None:
    """Take the stream of whichever source's condition holds."""
    m.d.comb += sink.valid.eq(Cat(on & source.valid for on, source in sources).any())
    for on, source in sources:
        m.d.comb += source.ready.eq(on & sink.ready)
        with m.If(on):
            m.d.comb += sink.payload.eq(source.payload)


def _fork(m: Module, source: stream.Interface, sinks: Ends) -> None:
    """Offer a stream to whichever sink's condition holds."""
    for on, sink in sinks:
        m.d.comb += sink.valid.eq(source.valid & on)
    m.d.comb += source.ready.eq(Cat(sink.ready & on for on, sink in sinks).any())
