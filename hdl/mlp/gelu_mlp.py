"""Activation of a GELU MLP in hardware: a table, and a queue for all tokens."""

from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from ...model import gelu_mlp as golden
from ...model.arithmetic import ACTIVATION_BITS
from ...model.storage.part import check
from ..lib.fifo import BlockFifo
from ..lib.memory import block_memory
from .engine import MlpEngine

__all__ = ["GeluMlp", "GeluMlpConfig"]


@dataclass(frozen=True, kw_only=True)
class GeluMlpConfig:
    """Layers that one engine serves.

    Attributes
    ----------
    layers : tuple of GeluMlp
        Equal in hidden width F.
    tokens : int
        Tokens of a job.
    """

    layers: tuple[golden.GeluMlp, ...]
    tokens: int

    def __post_init__(self) -> None:
        check(
            len({layer.hidden.out_features for layer in self.layers}) == 1,
            "GELU MLPs must agree in hidden width",
        )
        check(self.tokens >= 1, f"Tokens must be at least 1, not {self.tokens!r}")

    @property
    def hidden(self) -> int:
        """F."""
        return self.layers[0].hidden.out_features

    @property
    def values(self) -> int:
        """Hidden values of a job."""
        return self.tokens * self.hidden

    @property
    def adds(self) -> bool:
        """Whether the engine adds to the residual stream itself: ``MatVec`` does."""
        return False

    @property
    def external(self) -> tuple[()]:
        """What the engine reads of external weights: nothing."""
        return ()

    @property
    def cycles(self) -> tuple[int, ...]:
        """Least cycles of a token in each layer."""
        return (self.hidden,) * len(self.layers)

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of every block memory."""
        yield ACTIVATION_BITS, len(self.layers) * golden.ENTRIES
        yield ACTIVATION_BITS, max(2, self.values)

    def cells(self, family: str) -> int:
        """Return the LUT4s, estimated."""
        return 120


class GeluMlp(MlpEngine):
    """Look up the activation of hidden values, and keep those of all tokens until they are taken.

    Computes the table of docs/math.md, Eq. 35, equal in every bit to
    :func:`lutformer.model.gelu_mlp.activate`; ``MatVec`` does the matrices on both sides of it. All
    hidden values of a job fit in, so that the first need be taken only after the last has come.

    Latency is :attr:`latency` cycles, throughput one value per cycle.

    Parameters
    ----------
    config : GeluMlpConfig

    Members
    -------
    job : In(stream.Signature(range(len(config.layers) + 1)))
        Layer whose table the next tokens go through.
    i : In(stream.Signature(signed(8)))
        F hidden values a token.
    o : Out(stream.Signature(signed(8)))
        F activated values a token.
    """

    latency = 1 + BlockFifo.latency

    def __init__(self, config: GeluMlpConfig) -> None:
        self.config = config
        super().__init__(len(config.layers), signed(ACTIVATION_BITS))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.fifo = fifo = BlockFifo(unsigned(ACTIVATION_BITS), config.values)
        m.submodules.table = table = block_memory(
            shape=unsigned(ACTIVATION_BITS),
            depth=len(config.layers) * golden.ENTRIES,
            init=[int(v) & 0xFF for layer in config.layers for v in layer.table],
        )
        read = table.read_port()
        layer = Signal.like(self.job.payload, name="layer")
        left = Signal(range(config.values + 1))  # of the job, not yet come
        step = Signal()

        m.d.comb += self.job.ready.eq(left == 0)
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [layer.eq(self.job.payload), left.eq(config.values)]
        m.d.comb += step.eq(fifo.i.ready | ~fifo.i.valid)
        m.d.comb += self.i.ready.eq(step & (left != 0))
        *low, sign = self.i.payload
        m.d.comb += [read.addr.eq(Cat(*low, ~sign, layer)), read.en.eq(step)]
        m.d.comb += fifo.i.payload.eq(read.data)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += left.eq(left - 1)
        with m.If(step):
            m.d.sync += fifo.i.valid.eq(self.i.valid & self.i.ready)
        connect(m, wiring.flipped(self.o), fifo.o)
        return m
