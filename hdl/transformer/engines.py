"""The engines of all transformers, and the streams between them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import stream
from amaranth.lib.wiring import connect

from ...model.arithmetic import ACTIVATION_BITS
from ...model.linear import Linear
from ...model.network.transformer import Transformer
from ...model.storage.part import check
from ..attention.engine_config import AttentionEngineConfig
from ..attention.kinds import attention_config, attention_engine
from ..lib.arithmetic import clamp
from ..lib.fifo import BlockFifo
from ..lib.router import Route
from ..linear.layer_norm import LayerNorm
from ..linear.matvec import MatVec, MatVecConfig
from ..mlp.kinds import MlpConfig, mlp_config, mlp_engine
from ..plan.plan import Plan
from .passes import Pass, context, passes, vectors
from .sequencer import Sequencer

__all__ = ["Engines", "attention_of", "dispatch", "matvec_of", "mlp_of"]


def matvec_of(network: Transformer, plan: Plan) -> MatVecConfig:
    """Return the layers of ``MatVec`` in the order of the program."""
    steps = passes(network)
    if plan.coder:
        check(
            not plan.external_weights,
            "A plan with external weights has one matrix engine, no coder",
        )
        steps = _passes_without_codes(network)
    return _matvec(network, plan, [step.layer for step in steps], [step.raw for step in steps])


def coder_of(network: Transformer, plan: Plan) -> MatVecConfig | None:
    """Return the layers that make codes, one a block, if the plan has an engine for them."""
    layers = _codes(network) if plan.coder else ()
    return (
        _matvec(network, plan, layers, [layer.out_features for layer in layers]) if layers else None
    )


@lru_cache(maxsize=2)
def _codes(network: Transformer) -> tuple[Linear, ...]:
    """Return the rows of the projections that make codes."""
    coded = [step for step in passes(network) if step.raw_to == "codes"]
    return tuple(step.layer.part(0, step.raw) for step in coded)


@lru_cache(maxsize=2)
def _passes_without_codes(network: Transformer) -> tuple[Pass, ...]:
    return tuple(_without_codes(step) for step in passes(network))


def _without_codes(step: Pass) -> Pass:
    if step.raw_to != "codes":
        return step
    return replace(
        step, layer=step.layer.part(step.raw, step.layer.out_features), raw=0, raw_to=None
    )


def _matvec(
    network: Transformer, plan: Plan, layers: Sequence[Linear], raw: Sequence[int]
) -> MatVecConfig:
    return MatVecConfig(
        layers=tuple(layers),
        raw=tuple(raw),
        shift=network.requant_shift,
        in_lanes=plan.in_lanes,
        out_lanes=plan.out_lanes,
        vectors=vectors(network),
        dsp=plan.dsp_scale,
        registers=plan.registers,
        external=plan.external_weights,
    )


def attention_of(network: Transformer, plan: Plan) -> AttentionEngineConfig[Any]:
    """Return the attention layers of the network."""
    layers = [block.attention for block in network.blocks]
    return attention_config(layers, vectors(network), plan, context(network))


def mlp_of(network: Transformer, plan: Plan) -> MlpConfig:
    """Return the MLPs of the network."""
    return mlp_config([block.mlp for block in network.blocks], vectors(network), plan)


class Engines:
    """Layer norm, matrix engine, attention and MLP of a network.

    Parameters
    ----------
    network : Transformer
    plan : Plan

    Attributes
    ----------
    layer_norm, route, matvec, attention, mlp : wiring.Component
    coder : MatVec or None
        What makes codes instead of ``matvec``, if the plan has it.
    adds : bool
        Whether the MLP adds to the residual stream itself, not by way of ``MatVec``.
    mlp_width : int
        Signed width of what it then adds, else 1.
    """

    def __init__(self, network: Transformer, plan: Plan) -> None:
        self.network = network
        coder, matvec = coder_of(network, plan), matvec_of(network, plan)
        attention, mlp = attention_of(network, plan), mlp_of(network, plan)
        self.layer_norm = LayerNorm(
            network.norm,
            dsp=plan.dsp_norm,
            two_cycle_multiply=plan.two_cycle_multiply,
            registers=plan.registers,
            square=plan.square,
        )
        self.coder = None if coder is None else MatVec(coder)
        self.matvec = MatVec(matvec)
        self.attention = attention_engine(attention)
        self.mlp, self.adds = mlp_engine(mlp), mlp.adds
        self.mlp_width = len(self.mlp.o.payload) if self.adds else 1
        self.route = Route(signed(ACTIVATION_BITS), width=network.width, vectors=vectors(network))

    def place(self, m: Module, sequencer: Sequencer) -> None:
        """Make the engines part of a module, and give each its part of an instruction."""
        m.submodules.layer_norm = self.layer_norm
        m.submodules.route = self.route
        m.submodules.matvec = self.matvec
        if self.coder is not None:
            m.submodules.coder = self.coder
            parts: dict[str | None, str] = {"layer": "block", "vectors": "vectors"}
            dispatch(m, sequencer, "coder", self.coder.job, parts)
        m.submodules.attention = self.attention
        m.submodules.mlp = self.mlp
        dispatch(m, sequencer, "route", self.route.job, {"to_b": "to_mlp", "vectors": "vectors"})
        dispatch(m, sequencer, "matvec", self.matvec.job, {"layer": "layer", "vectors": "vectors"})
        dispatch(m, sequencer, "attention", self.attention.job, {None: "block"})
        dispatch(m, sequencer, "mlp", self.mlp.job, {None: "block"})

    def join(
        self,
        m: Module,
        *,
        first: Mapping[str, stream.Interface],
        linear: stream.Interface,
        mlp: stream.Interface,
        logits: stream.Interface,
    ) -> None:
        """Join the streams of the engines.

        Parameters
        ----------
        m : Module
        first : mapping of str to stream
            By name, where vectors come from besides the engines.
        linear, mlp : stream
            To the residual stream: what ``MatVec`` adds, and what the MLP adds if it ``adds``.
        logits : stream
        """
        matvec, attention, own = self.matvec, self.attention, self.mlp
        connect(m, self.layer_norm.o, self.route.i)
        mixed = self._kept(m) if attention.config.streams else attention.o
        sources = {**first, "norm": self.route.a, "attention": mixed}
        scaled = {"values": attention.values, "residual": linear}
        raw = {"logits": logits}
        at_hand = self._at_hand(m)
        if self.adds:
            connect(m, self.route.b, own.i)
            connect(m, own.o, mlp)
        else:
            sources["mlp"], scaled["mlp"] = own.o, own.i
        vectors_in = matvec.i
        codes = attention.codes
        if codes is not None and self.coder is not None:
            vectors_in = self._shared(m, self.coder.i, at_hand["raw_to", "codes"])
            coder = self.coder.raw
            m.d.comb += [codes.valid.eq(coder.valid), coder.ready.eq(codes.ready)]
            m.d.comb += codes.payload.eq(~coder.payload[-1])
        elif codes is not None:
            raw["codes"] = codes
            m.d.comb += codes.payload.eq(~matvec.raw.payload[-1])
        _join(
            m, [(at_hand["source", name], source) for name, source in sources.items()], vectors_in
        )
        _fork(m, matvec.raw, [(at_hand["raw_to", name], sink) for name, sink in raw.items()])
        scaled_to = [(at_hand["scaled_to", name], sink) for name, sink in scaled.items()]
        _fork(m, matvec.scaled, scaled_to)
        m.d.comb += logits.payload.eq(matvec.raw.payload)
        m.d.comb += linear.payload.eq(matvec.scaled.payload)
        narrow = clamp(matvec.scaled.payload, ACTIVATION_BITS)
        for name, sink in scaled.items():
            if name != "residual":
                m.d.comb += sink.payload.eq(narrow)

    def _shared(self, m: Module, theirs: stream.Interface, coded: Signal) -> stream.Interface:
        """Return the stream of vectors, which goes to both matrix engines where codes are made."""
        out = stream.Signature(signed(ACTIVATION_BITS)).create(path=("vectors",))
        ours = self.matvec.i
        m.d.comb += [ours.payload.eq(out.payload), theirs.payload.eq(out.payload)]
        # Neither readiness waits for an offer, so both may take an element in the same cycle.
        m.d.comb += ours.valid.eq(out.valid & (theirs.ready | ~coded))
        m.d.comb += theirs.valid.eq(out.valid & ours.ready & coded)
        m.d.comb += out.ready.eq(ours.ready & (theirs.ready | ~coded))
        return out

    def _kept(self, m: Module) -> stream.Interface:
        """Keep all mixed tokens: ``MatVec`` has no use for them while it still projects others."""
        values = vectors(self.network) * self.network.blocks[0].attention.value.out_features
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


def dispatch(
    m: Module,
    sequencer: Sequencer,
    name: str,
    job: stream.Interface,
    parts: Mapping[str | None, str] | None = None,
) -> None:
    """Connect the sequencer's stream of ``name`` to a job.

    ``parts`` tells which field of an instruction each field of the job is; None stands for a
    payload without fields.
    """
    engine = getattr(sequencer, name)
    m.d.comb += [job.valid.eq(engine.valid), engine.ready.eq(job.ready)]
    for target, source in (parts or {}).items():
        payload = job.payload if target is None else job.payload[target]
        m.d.comb += payload.eq(engine.payload[source])


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
