"""The decoder: all engines of a text network around the residual stream of a token."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ...model.arithmetic import RESIDUAL_BITS
from ...model.network.gpt import Gpt
from ...model.sampling import SEED_BITS, TEMPERATURE_BITS, TOP_K_BITS
from ...model.storage.part import check
from ..mlp.kinds import ExternalWeights
from ..plan.plan import Plan
from .engines import Engines, dispatch, matvec_of, mlp_of
from .passes import context
from .program import compile_network
from .sampler import Sampler
from .sequencer import Sequencer
from .token_residual import StoredVectors, TokenResidual
from .weight_store import WeightStore

__all__ = ["COUNT_BITS", "CYCLE_BITS", "Decoder", "job_layout", "stored_weights"]

COUNT_BITS = 16
"""Width of numbers of tokens."""
CYCLE_BITS = 32

ENGINES = {
    "residual": "token",
    "route": "norm_to",
    "matvec": "matvec",
    "attention": "attention",
    "mlp": "mlp",
}


def job_layout() -> data.StructLayout:
    """Return the layout of a job."""
    return data.StructLayout(
        {
            "reset": 1,  # begin a new context
            "prompt": COUNT_BITS,  # tokens to take in
            "count": COUNT_BITS,  # tokens to choose after them
            "temperature": TEMPERATURE_BITS,
            "top_k": TOP_K_BITS,
            "reseed": 1,
            "seed": SEED_BITS,
        }
    )


def stored_weights(network: Gpt, plan: Plan) -> bytes:
    """Return the words to load into a decoder with external weights."""
    shapes = _shapes(network, plan)
    words = [word for shape in shapes for word in shape.weights]
    return b"".join(word.to_bytes(shapes[0].weight_width // 8, "little") for word in words)


def _shapes(network: Gpt, plan: Plan) -> list[ExternalWeights]:
    """Return the shapes of all that reads from the memory of weights, in its order."""
    matvec, mlp = matvec_of(network, plan), mlp_of(network, plan)
    widths = sorted({shape.weight_width for shape in (matvec, *mlp.external)})
    check(
        len(widths) == 1,
        f"Engines that share a memory must read words of one width, not {widths} bits",
    )
    return [matvec, *mlp.external, StoredVectors(network.embedding.token, matvec.weight_width)]


def _store(network: Gpt, plan: Plan) -> WeightStore:
    """Return the memory for all weights, and the tokens' vectors."""
    shapes = _shapes(network, plan)
    return WeightStore(shapes[0].weight_width, [shape.weight_words for shape in shapes])


def _watched(width: int) -> wiring.Signature:
    return wiring.Signature({"valid": Out(1), "payload": Out(signed(width))})


class Decoder(wiring.Component):
    """Take in tokens, and choose those that follow.

    Computes docs/math.md, sections 12 and 13, equal in every bit to
    :func:`lutformer.model.network.gpt.step` and :class:`lutformer.model.sampling.Sampler`. A job
    takes in ``prompt`` tokens, at least one, then chooses ``count``, each of which but the last is
    taken in as well; the next job goes on from there, unless it is a ``reset``. A job is taken when
    it has
    been done. No context may have more tokens than the network's; windows (Eq. 40) are the
    business of whoever gives the jobs.

    Parameters
    ----------
    network : Gpt
    plan : Plan

    Members
    -------
    job : In(stream.Signature(job_layout()))
    i : In(stream.Signature(range(V)))
        The prompt's tokens.
    o : Out(stream.Signature(StructLayout(token, last)))
        The tokens chosen; ``last`` marks the last one of a job.
    load : In(stream.Signature(8))
    reload : In(1)
    loaded : Out(1)
        Only with a plan whose weights are external: see :class:`WeightStore`. Jobs wait until all
        of :func:`stored_weights` have been loaded.
    busy : Out(1)
    place : Out(range(context + 1))
        Tokens that the context has.
    cycles : Out(32)
        Of the job at hand, or the last one, waiting for the outside included.
    logits, written : Out(Signature(valid, payload))
        Every logit, and every value written to the residual stream, for verification; left open
        otherwise.
    """

    job: stream.Interface
    i: stream.Interface
    o: stream.Interface
    load: stream.Interface
    reload: Signal
    loaded: Signal
    busy: Signal
    place: Signal
    cycles: Signal
    logits: Any
    written: Any

    def __init__(self, network: Gpt, plan: Plan) -> None:
        self.network, self.plan = network, plan
        self.tokens, self.width = network.head.out_features, network.head.accumulator_width
        self.store = _store(network, plan) if plan.external_weights else None
        self.engines = Engines(network, plan)
        self.residual = TokenResidual(
            network.embedding,
            mlp_width=self.engines.mlp_width,
            stored=self.engines.matvec.config.weight_width if plan.external_weights else 0,
            registers=plan.registers,
        )
        self.sampler = Sampler(tokens=self.tokens, width=self.width, dsp=plan.dsp_scale)
        coder = {} if self.engines.coder is None else {"coder": "attention"}
        self.sequencer = Sequencer(
            compile_network(network),
            ENGINES | coder,
            blocks=len(network.blocks),
            vectors=1,
            layers=len(self.engines.matvec.config.layers),
        )
        self.token_layout = data.StructLayout({"token": range(self.tokens), "last": 1})
        load = {"load": In(stream.Signature(8)), "reload": In(1), "loaded": Out(1)}
        super().__init__(
            (load if plan.external_weights else {})
            | {
                "job": In(stream.Signature(job_layout())),
                "i": In(stream.Signature(range(self.tokens))),
                "o": Out(stream.Signature(self.token_layout)),
                "busy": Out(1),
                "place": Out(range(context(network) + 1)),
                "cycles": Out(CYCLE_BITS),
                "logits": Out(_watched(self.width)),
                "written": Out(_watched(RESIDUAL_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sequencer = self.sequencer
        m.submodules.residual = self.residual
        self.engines.place(m, self.sequencer)
        m.submodules.sampler = self.sampler
        dispatch(m, self.sequencer, "residual", self.residual.job)
        loaded = self._load(m)
        token, wanted = self._control(m, loaded)
        m.d.comb += self.residual.token.eq(token)
        self._connect(m, wanted)
        return m

    def _load(self, m: Module) -> Value:
        """Place the memory that weights are loaded into; return whether they are there."""
        if self.store is None:
            return Const(1)
        m.submodules.store = store = self.store
        connect(m, wiring.flipped(self.load), store.i)
        m.d.comb += [store.restart.eq(self.reload), self.loaded.eq(store.loaded)]
        engines = (self.engines.matvec, self.engines.mlp, self.residual)
        readers = [engine.weights for engine in engines if engine.weights is not None]
        for port, reader in zip(store.ports, readers, strict=True):
            connect(m, reader, port)
        return store.loaded

    def _control(self, m: Module, loaded: Value) -> tuple[Signal, Signal]:
        """Run the program for each token; return it, and whether another is chosen after it."""
        job = self.job.p
        prompt, count = Signal(COUNT_BITS), Signal(COUNT_BITS)  # what is left to do
        token = Signal(range(self.tokens))
        place = self.place
        wanted = Signal()
        sampler, sequencer, last = self.sampler, self.sequencer, count == 1

        m.d.comb += [self.busy.eq(1), wanted.eq((prompt == 0) & (count != 0))]
        m.d.comb += self.residual.place.eq(place)
        self.engines.attention.tell_before(m, place)
        m.d.comb += [sampler.temperature.eq(job.temperature), sampler.top_k.eq(job.top_k)]
        m.d.comb += sampler.seed.payload.eq(job.seed)
        m.d.comb += [self.o.p.token.eq(sampler.o.payload), self.o.p.last.eq(last)]
        m.d.sync += self.cycles.eq(self.cycles + self.busy)
        with m.FSM(name="decode"):
            with m.State("idle"):
                m.d.comb += [self.busy.eq(0), sampler.seed.valid.eq(self.job.valid & job.reseed)]
                m.d.sync += [prompt.eq(job.prompt), count.eq(job.count)]
                with m.If(self.job.valid & loaded):
                    m.d.sync += self.cycles.eq(0)
                    m.d.sync += place.eq(Mux(job.reset, 0, place))
                    m.next = "prompt"
            with m.State("prompt"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += token.eq(self.i.payload)
                with m.If(self.i.valid):
                    m.d.sync += prompt.eq(prompt - 1)
                    m.next = "start"
            with m.State("start"):
                m.d.comb += sequencer.start.eq(1)
                m.next = "run"
            with m.State("run"), m.If(sequencer.done):
                full = place == context(self.network)
                m.d.sync += place.eq(Mux(full, place, place + 1))
                m.next = "done"
                with m.If(wanted):
                    m.next = "choose"
                with m.Elif(prompt != 0):
                    m.next = "prompt"
            with m.State("choose"):
                m.d.comb += [self.o.valid.eq(sampler.o.valid), sampler.o.ready.eq(self.o.ready)]
                m.d.sync += token.eq(sampler.o.payload)
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += count.eq(count - 1)
                    m.next = "start"
                    with m.If(last):
                        m.next = "done"
            with m.State("done"):
                m.d.comb += [self.job.ready.eq(1), self.busy.eq(0)]
                m.next = "idle"
        return token, wanted

    def _connect(self, m: Module, wanted: Signal) -> None:
        """Join the streams; logits that no token is chosen from pass by the sampler."""
        residual, sampler, norm = self.residual, self.sampler, self.engines.layer_norm
        connect(m, residual.o, norm.i)
        m.d.comb += self.written.valid.eq(norm.i.valid & norm.i.ready)
        m.d.comb += self.written.payload.eq(norm.i.payload)
        logits = stream.Signature(signed(self.width)).create(path=("logit",))
        index = Signal(range(self.tokens))
        taken = logits.valid & logits.ready
        m.d.comb += sampler.i.payload.eq(logits.payload)
        m.d.comb += sampler.i.valid.eq(logits.valid & wanted)
        m.d.comb += logits.ready.eq(sampler.i.ready | ~wanted)
        m.d.comb += [self.logits.valid.eq(taken), self.logits.payload.eq(logits.payload)]
        m.d.comb += self.sequencer.done.eq(taken & (index == self.tokens - 1))
        with m.If(taken):
            m.d.sync += index.eq(Mux(self.sequencer.done, 0, index + 1))
        self.engines.join(m, first={}, linear=residual.linear, mlp=residual.mlp, logits=logits)
