"""The accelerator: all engines of a network around its residual stream."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ...model.network.vit import Network
from ..plan.plan import Plan
from .argmax import ArgMax
from .engines import Engines, dispatch
from .patches import Patches
from .program import compile_network
from .residual import Residual
from .sequencer import Sequencer
from .token_reader import TokenReader

__all__ = ["Accelerator"]

ENGINES = {
    "patches": "patches",
    "residual": "write",
    "reader": "read",
    "route": "norm_to",
    "matvec": "matvec",
    "attention": "attention",
    "mlp": "mlp",
}


class Accelerator(wiring.Component):
    """Classify images.

    Computes docs/math.md as a whole, equal in every bit to
    :func:`lutformer.model.network.golden.golden`. An image starts the program as soon as its last
    pixel has come and the result before has gone; the next image may arrive once the patches of the
    first have left.

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
        self.engines = Engines(network, plan)
        self.residual = Residual(network.embedding, mlp_width=self.engines.mlp_width)
        self.reader = TokenReader(
            tokens=network.tokens,
            width=network.width,
            class_token=network.embedding.class_token,
        )
        matvec = self.engines.matvec.config
        self.argmax = ArgMax(classes=network.classes, width=matvec.accumulator_width)
        self.sequencer = Sequencer(
            compile_network(network),
            ENGINES,
            blocks=len(network.blocks),
            vectors=network.tokens,
            layers=len(matvec.layers),
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
        self.engines.place(m, self.sequencer)
        m.submodules.argmax = self.argmax
        self._run(m)
        self._dispatch(m)
        self._connect(m)
        return m

    def _run(self, m: Module) -> None:
        """Start with an image, count the cycles, end with a result."""
        sequencer, patches = self.sequencer, self.patches
        connect(m, wiring.flipped(self.i), patches.i)
        connect(m, wiring.flipped(self.o), self.argmax.o)
        m.d.comb += [patches.abort.eq(self.abort), self.written.eq(self.residual.written)]
        start = patches.full & ~self.argmax.sending  # whose cycles must stay
        m.d.comb += [sequencer.start.eq(start), sequencer.done.eq(self.argmax.done)]
        m.d.comb += [self.busy.eq(sequencer.busy)]
        with m.If(sequencer.busy):
            m.d.sync += self.argmax.cycles.eq(self.argmax.cycles + 1)
        with m.Elif(start):
            m.d.sync += self.argmax.cycles.eq(0)

    def _dispatch(self, m: Module) -> None:
        """Give the other parts theirs of an instruction."""
        dispatch(m, self.sequencer, "patches", self.patches.job)
        dispatch(m, self.sequencer, "residual", self.residual.job, {None: "embed"})
        parts: dict[str | None, str] = {"after_mlp": "after_mlp", "pool": "pool"}
        dispatch(m, self.sequencer, "reader", self.reader.job, parts)

    def _connect(self, m: Module) -> None:
        """Join the streams."""
        reader, residual = self.reader, self.residual
        connect(m, residual.request, reader.request)
        connect(m, residual.reply, reader.reply)
        m.d.comb += reader.linear_done.eq(residual.linear_done)
        m.d.comb += reader.mlp_done.eq(residual.mlp_done)
        connect(m, reader.o, self.engines.layer_norm.i)
        self.engines.join(
            m,
            first={"patches": self.patches.o},
            linear=residual.linear,
            mlp=residual.mlp,
            logits=self.argmax.i,
        )
