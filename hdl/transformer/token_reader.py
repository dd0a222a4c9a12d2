"""The order in which tokens of the residual stream go to layer norm, in hardware."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import RESIDUAL_BITS
from ...model.pooling import pool_shift

__all__ = ["TokenReader"]


class TokenReader(wiring.Component):
    """Read tokens as soon as their writer has finished them, or pool all of them into one.

    Computes docs/math.md, Eq. 19. A job names the writer whose tokens are waited for, so that a
    pass may begin while the one before is still at work on later tokens.

    Parameters
    ----------
    tokens, width : int
        n, D.
    class_token : bool
        Pool by taking token 0 instead of the mean.

    Members
    -------
    job : In(stream.Signature(StructLayout(after_mlp, pool)))
    linear_done, mlp_done : In(1)
        High for one cycle when the writer has finished a token.
    request : Out(stream.Signature(range(n * D)))
    reply : In(stream.Signature(signed(16)))
    o : Out(stream.Signature(signed(16)))
        D channels of each token, or of the pooled one. A token begins when the stream is ready, and
        whoever takes it must stay ready until its last channel.
    """

    job: stream.Interface
    linear_done: Signal
    mlp_done: Signal
    request: stream.Interface
    reply: stream.Interface
    o: stream.Interface

    def __init__(self, *, tokens: int, width: int, class_token: bool) -> None:
        self.tokens, self.width, self.class_token = tokens, width, class_token
        self.job_layout = data.StructLayout({"after_mlp": 1, "pool": 1})
        super().__init__(
            {
                "job": In(stream.Signature(self.job_layout)),
                "linear_done": In(1),
                "mlp_done": In(1),
                "request": Out(stream.Signature(range(tokens * width))),
                "reply": In(stream.Signature(signed(RESIDUAL_BITS))),
                "o": Out(stream.Signature(signed(RESIDUAL_BITS))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pooled = 1 if self.class_token else self.tokens  # values summed up for a channel
        after_mlp = Signal()
        pool = Signal()
        channel = Signal(range(self.width))
        token = Signal(range(self.tokens))
        take = Signal()
        last_channel = Signal()
        last_token = Signal()
        address = self.request.payload
        ready = self._count(m, after_mlp, pool, take)
        self._sum_up(m, pool, pooled)

        m.d.comb += last_channel.eq(channel == self.width - 1)
        m.d.comb += last_token.eq(token == Mux(pool, pooled - 1, self.tokens - 1))
        with m.FSM(name="read"):
            with m.State("idle"):  # the last value passes meanwhile
                m.d.comb += self.job.ready.eq(1)
                with m.If(self.job.valid):
                    m.d.sync += [after_mlp.eq(self.job.p.after_mlp), pool.eq(self.job.p.pool)]
                    m.d.sync += [address.eq(0), token.eq(0)]
                    m.next = "wait"
            # The last value of the token before may pass just now, and end the readiness.
            with m.State("wait"), m.If(ready & self.o.ready & ~self.reply.valid):
                m.d.comb += take.eq(1)
                m.next = "read"
            with m.State("read"):
                m.d.comb += self.request.valid.eq(1)
                with m.If(self.request.ready):
                    following = Mux(pool & ~last_token, channel, channel + 1)
                    m.d.sync += channel.eq(Mux(last_channel & (last_token | ~pool), 0, following))
                    m.d.sync += address.eq(address + Mux(pool, self.width, 1))
                with m.If(self.request.ready & (pool | last_channel)):
                    m.d.sync += token.eq(Mux(last_token, 0, token + 1))
                with m.If(self.request.ready & pool & last_token):
                    m.d.sync += address.eq(channel + 1)
                with m.If(self.request.ready & last_channel & ~pool):
                    m.next = "wait"
                with m.If(self.request.ready & last_channel & last_token):
                    m.next = "idle"
        return m

    def _count(self, m: Module, after_mlp: Signal, pool: Signal, take: Signal) -> Signal:
        """Count finished tokens of either writer; return whether the next read may begin."""
        counts = []
        for name, done, mine in (
            ("linear", self.linear_done, ~after_mlp),
            ("mlp", self.mlp_done, after_mlp),
        ):
            count = Signal(range(self.tokens + 1), name=f"{name}_finished")
            with m.If(take & mine & pool):
                m.d.sync += count.eq(0)
            with m.Else():
                m.d.sync += count.eq(count + done - (take & mine))
            counts.append(count)
        ready = Signal()
        count = Mux(after_mlp, counts[1], counts[0])
        m.d.comb += ready.eq(Mux(pool, count == self.tokens, count != 0))
        return ready

    def _sum_up(self, m: Module, pool: Signal, pooled: int) -> None:
        """Pass values on, or the sums of ``pooled`` of them each."""
        shift = 0 if self.class_token else pool_shift(self.tokens)
        half = (1 << shift) >> 1
        sum_ = Signal(signed(RESIDUAL_BITS + shift), init=half)
        total = Signal.like(sum_, name="total", init=0)
        seen = Signal(range(pooled))
        complete = Signal()

        m.d.comb += complete.eq(~pool | (seen == pooled - 1))
        m.d.comb += total.eq(sum_ + self.reply.payload)
        m.d.comb += [self.o.valid.eq(self.reply.valid & complete), self.reply.ready.eq(1)]
        m.d.comb += self.o.payload.eq(Mux(pool, total >> shift, self.reply.payload))
        with m.If(self.reply.valid & pool):
            m.d.sync += sum_.eq(Mux(complete, half, total))
            m.d.sync += seen.eq(Mux(complete, 0, seen + 1))
