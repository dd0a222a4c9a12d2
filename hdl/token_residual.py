"""The residual stream of a lone token, in hardware."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..model.arithmetic import RESIDUAL_BITS, signed_width
from ..model.token_embedding import TokenEmbedding
from .arithmetic import clamp
from .memory import block_memory

__all__ = ["TokenResidual"]


class TokenResidual(wiring.Component):
    """Memory of D channels that is set to an embedding, and added to by two writers.

    Computes docs/math.md, Eq. 38, and the residual additions. One channel a cycle; each leaves one
    cycle later, as it is written, so that layer norm need not ask for it.

    Parameters
    ----------
    embedding : TokenEmbedding
    mlp_width : int
        Signed width of what the MLP adds.

    Members
    -------
    job : In(stream.Signature(1))
        Set all channels to the token's embedding; taken with the last one.
    token : In(range(V))
    place : In(range(positions))
        Which token, and where; steady during a job.
    linear : In(stream.Signature(signed(16)))
    mlp : In(stream.Signature(signed(mlp_width)))
        D channels in turn; only one of them at a time, and none during a job.
    o : Out(stream.Signature(signed(16)))
        Every channel as it is written.
    """

    job: stream.Interface
    token: Signal
    place: Signal
    linear: stream.Interface
    mlp: stream.Interface
    o: stream.Interface

    def __init__(self, embedding: TokenEmbedding, *, mlp_width: int) -> None:
        self.embedding = embedding
        self.tokens, self.width = embedding.token.shape
        super().__init__(
            {
                "job": In(stream.Signature(1)),
                "token": In(range(self.tokens)),
                "place": In(range(max(embedding.positions, 1))),
                "linear": In(stream.Signature(signed(RESIDUAL_BITS))),
                "mlp": In(stream.Signature(signed(mlp_width))),
                "o": Out(stream.Signature(signed(RESIDUAL_BITS))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.channels = memory = block_memory(shape=signed(RESIDUAL_BITS), depth=self.width)
        read, write = memory.read_port(), memory.write_port()
        channel = Signal(range(self.width))
        last = channel == self.width - 1
        step, take, placed = Signal(), Signal(), Signal()
        value = Signal(signed(max(len(self.mlp.payload), RESIDUAL_BITS)))

        # Cycle 0: read the channel.
        m.d.comb += step.eq(~self.o.valid | self.o.ready)
        m.d.comb += [self.linear.ready.eq(step), self.mlp.ready.eq(step)]
        m.d.comb += self.job.ready.eq(step & last)
        m.d.comb += take.eq(step & (self.job.valid | self.mlp.valid | self.linear.valid))
        m.d.comb += [read.addr.eq(channel), read.en.eq(step)]
        with m.If(take):
            m.d.sync += channel.eq(Mux(last, 0, channel + 1))
        with m.If(step):
            m.d.sync += [self.o.valid.eq(take), placed.eq(self.job.valid), write.addr.eq(channel)]
            m.d.sync += value.eq(Mux(self.mlp.valid, self.mlp.payload, self.linear.payload))
        # Cycle 1: add, saturate, write.
        token = self._look_up(m, "tokens", self.embedding.token, self.token, channel, step)
        place = self._look_up(m, "places", self.embedding.position, self.place, channel, step)
        total = Mux(placed, token, value) + Mux(placed, place, read.data)
        m.d.comb += [self.o.payload.eq(clamp(total, RESIDUAL_BITS)), write.data.eq(self.o.payload)]
        m.d.comb += write.en.eq(self.o.valid & self.o.ready)
        return m

    def _look_up(
        self, m: Module, name: str, table: object, row: Signal, channel: Signal, step: Signal
    ) -> Value:
        """Return the entry of a table of vectors, one cycle after its row and channel."""
        entries: list[int] = table.ravel().astype(int).tolist()  # type: ignore[attr-defined]
        if not entries:
            return Const(0)
        memory = block_memory(
            shape=signed(signed_width(min(entries), max(entries))), depth=len(entries), init=entries
        )
        m.submodules[name] = memory
        read = memory.read_port()
        first = Signal(range(len(entries)), name=f"first_of_{name}")
        places = [n for n in range(self.width.bit_length()) if self.width >> n & 1]
        m.d.sync += first.eq(sum((row << n for n in places), Const(0)))
        m.d.comb += [read.addr.eq(first + channel), read.en.eq(step)]
        return read.data
