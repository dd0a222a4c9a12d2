"""The order in which tokens of the residual stream go to layer norm, in hardware."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..model.arithmetic import RESIDUAL_BITS
from ..model.pooling import pool_shift

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
        D channels of each token, or of the pooled one.
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
        idle = Signal()
        ready = self._count(m, after_mlp, pool, take)
        self._sum_up(m, pool, pooled, idle)
        last_channel = channel == self.width - 1
        last_token = token == Mux(pool, pooled - 1, self.tokens - 1)
        address = self.request.payload

        with m.FSM(name="read"):
            with m.State("idle"):
                m.d.comb += self.job.ready.eq(idle)
                with m.If(self.job.valid & idle):
                    m.d.sync += [after_mlp.eq(self.job.p.after_mlp), pool.eq(self.job.p.pool)]
                    m.d.sync += address.eq(0)
                    m.next = "wait"
            with m.State("wait"), m.If(ready):
                m.d.comb += take.eq(1)
                m.next = "read"
            with m.State("read"):
                m.d.comb += self.request.valid.eq(1)
                with m.If(self.request.ready & ~pool):
                    m.d.sync += [address.eq(address + 1), channel.eq(channel + 1)]
                    with m.If(last_channel):
                        m.d.sync += [channel.eq(0), token.eq(token + 1)]
                        m.next = "wait"
                with m.Elif(self.request.ready):
                    m.d.sync += [address.eq(address + self.width), token.eq(token + 1)]
                    with m.If(last_token):
                        m.d.sync += [token.eq(0), channel.eq(channel + 1), address.eq(channel + 1)]
                with m.If(self.request.ready & last_channel & last_token):
                    m.d.sync += [channel.eq(0), token.eq(0)]
                    m.next = "idle"
        return m

    def _count(self, m: Module, after_mlp: Signal, pool: Signal, take: Signal) -> Signal:
        """Count finished tokens of either writer; return whether the next read may begin."""
        finished = []
        for name, done, mine in (
            ("linear", self.linear_done, ~after_mlp),
            ("mlp", self.mlp_done, after_mlp),
        ):
            count = Signal(range(self.tokens + 1), name=f"{name}_finished")
            taken = Mux(take & mine, Mux(pool, self.tokens, 1), 0)
            m.d.sync += count.eq(count + done - taken)
            finished.append(count)
        ready = Signal()
        mine = Mux(after_mlp, finished[1], finished[0])
        m.d.comb += ready.eq(mine >= Mux(pool, self.tokens, 1))
        return ready

    def _sum_up(self, m: Module, pool: Signal, pooled: int, idle: Signal) -> None:
        """Pass values on, or the sums of ``pooled`` of them each."""
        shift = 0 if self.class_token else pool_shift(self.tokens)
        sum_ = Signal(signed(RESIDUAL_BITS + shift))
        total = Signal.like(sum_, name="total")
        seen = Signal(range(pooled))
        under_way = Signal(range(8))  # requested and not yet passed on
        complete = Signal()

        m.d.comb += complete.eq(~pool | (seen == pooled - 1))
        m.d.comb += total.eq(Mux(seen == 0, (1 << shift) >> 1, sum_) + self.reply.payload)
        m.d.comb += self.o.valid.eq(self.reply.valid & complete)
        m.d.comb += self.o.payload.eq(Mux(pool, total >> shift, self.reply.payload))
        m.d.comb += self.reply.ready.eq(self.o.ready | ~complete)
        asked = self.request.valid & self.request.ready
        got = self.reply.valid & self.reply.ready
        m.d.sync += under_way.eq(under_way + asked - got)
        m.d.comb += idle.eq(under_way == 0)
        with m.If(got & pool):
            m.d.sync += [sum_.eq(total), seen.eq(Mux(seen == pooled - 1, 0, seen + 1))]
