"""The residual stream in hardware: the memory that every pass adds to."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import RESIDUAL_BITS, signed_width
from ...model.embedding import Embedding
from ..lib.arithmetic import clamp
from ..lib.memory import block_memory

__all__ = ["Residual"]


class Residual(wiring.Component):
    """Memory of n tokens of D channels with two writers that add to it, and a reader.

    Computes the residual additions of docs/math.md, and the sum of Eq. 18. One access a cycle, in
    the order of precedence ``mlp``, ``linear``, ``request``.

    Parameters
    ----------
    embedding : Embedding
        Shapes and positions.
    mlp_width : int
        Signed width of what the MLP adds.

    Members
    -------
    job : In(stream.Signature(1))
        What the next n tokens of ``linear`` do: 1 sets them (plus their position), 0 adds.
    linear : In(stream.Signature(signed(16)))
        D channels of each token.
    mlp : In(stream.Signature(signed(mlp_width)))
        D channels of each token; adds.
    linear_done, mlp_done : Out(1)
        High for one cycle when a token of that writer may be read.
    request : In(stream.Signature(range(n * D)))
        Address of a value to read.
    reply : Out(stream.Signature(signed(16)))
        The value requested in the cycle before; whoever asks is ready for it.
    written : Out(StructLayout(valid, mlp, value))
        Every value written and its writer, for verification; left open otherwise.
    """

    job: stream.Interface
    linear: stream.Interface
    mlp: stream.Interface
    linear_done: Signal
    mlp_done: Signal
    request: stream.Interface
    reply: stream.Interface
    written: data.View

    def __init__(self, embedding: Embedding, *, mlp_width: int) -> None:
        self.embedding = embedding
        self.tokens, self.width = embedding.position.shape
        written = data.StructLayout({"valid": 1, "mlp": 1, "value": signed(RESIDUAL_BITS)})
        super().__init__(
            {
                "job": In(stream.Signature(1)),
                "linear": In(stream.Signature(signed(RESIDUAL_BITS))),
                "mlp": In(stream.Signature(signed(mlp_width))),
                "linear_done": Out(1),
                "mlp_done": Out(1),
                "request": In(stream.Signature(range(self.tokens * self.width))),
                "reply": Out(stream.Signature(signed(RESIDUAL_BITS))),
                "written": Out(written),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = max(2, self.tokens * self.width)
        position = self.embedding.position.astype(int)
        m.submodules.tokens = tokens = block_memory(
            shape=signed(RESIDUAL_BITS),
            depth=depth,
        )
        m.submodules.positions = positions = block_memory(
            shape=signed(signed_width(int(position.min()), int(position.max()))),
            depth=depth,
            init=position.ravel().tolist(),
        )
        read, write, position_read = tokens.read_port(), tokens.write_port(), positions.read_port()
        embed, left = self._jobs(m)
        mlp, mlp_at = self._writer(m, "mlp", self.mlp, self.mlp_done)
        linear, linear_at = self._writer(m, "linear", self.linear, self.linear_done)
        fetch = self._fetch(m)
        m.d.comb += self.reply.payload.eq(read.data)
        value = Signal(signed(max(len(self.mlp.payload), RESIDUAL_BITS)))
        at = Signal(range(depth))
        adds = Signal()
        placed = Signal()
        base = Signal(signed(RESIDUAL_BITS))
        total = Signal(signed(len(value) + 1))

        # Cycle 0: choose who goes on, and read.
        m.d.comb += self.mlp.ready.eq(1)
        m.d.comb += self.linear.ready.eq(~self.mlp.valid & (left != 0))
        m.d.comb += fetch.eq(~mlp & ~linear)
        m.d.comb += at.eq(Mux(mlp, mlp_at, linear_at))
        m.d.comb += read.addr.eq(Mux(mlp | linear, at, self.request.payload))
        m.d.comb += position_read.addr.eq(linear_at)
        m.d.sync += [adds.eq(mlp | linear), placed.eq(embed & ~mlp), write.addr.eq(at)]
        m.d.sync += value.eq(Mux(mlp, self.mlp.payload, self.linear.payload))
        if self.embedding.class_token:  # token 0 is nothing but its position
            with m.If(embed & ~mlp & (linear_at < self.width)):
                m.d.sync += value.eq(0)
        # Cycle 1: add, saturate, write.
        m.d.comb += base.eq(Mux(placed, position_read.data, read.data))
        m.d.comb += [total.eq(value + base), write.data.eq(clamp(total, RESIDUAL_BITS))]
        m.d.comb += [write.en.eq(adds), self.written.valid.eq(adds)]
        m.d.comb += self.written.value.eq(write.data)
        m.d.sync += self.written.mlp.eq(mlp)
        return m

    def _jobs(self, m: Module) -> tuple[Signal, Signal]:
        """Return whether ``linear`` sets the tokens, and how many of them are to come."""
        embed = Signal()
        left = Signal(range(self.tokens + 1))
        m.d.comb += self.job.ready.eq(left == 0)
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [embed.eq(self.job.payload), left.eq(self.tokens)]
        self._left = left
        return embed, left

    def _writer(
        self, m: Module, name: str, source: stream.Interface, done: Signal
    ) -> tuple[Signal, Signal]:
        """Return whether a writer brings a value, and where it belongs."""
        move = Signal(name=f"{name}_move")
        at = Signal(range(self.tokens * self.width), name=f"{name}_at")
        channel = Signal(range(self.width), name=f"{name}_channel")
        last = Signal(name=f"{name}_last")
        m.d.comb += move.eq(source.valid & source.ready)
        m.d.comb += last.eq(move & (channel == self.width - 1))
        m.d.sync += done.eq(last)  # its last value is written in the next cycle
        with m.If(move):
            m.d.sync += channel.eq(Mux(last, 0, channel + 1))
            m.d.sync += at.eq(Mux(at == self.tokens * self.width - 1, 0, at + 1))
        if name == "linear":
            with m.If(last):
                m.d.sync += self._left.eq(self._left - 1)
        return move, at

    def _fetch(self, m: Module) -> Signal:
        """Answer requests one cycle later; return the signal that says the memory is free."""
        free = Signal()
        m.d.comb += self.request.ready.eq(free)
        m.d.sync += self.reply.valid.eq(self.request.valid & free)
        return free
