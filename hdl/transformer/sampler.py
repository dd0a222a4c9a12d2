"""Choice of the next token in hardware."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import signed_width
from ...model.sampling import (
    GUMBEL_BITS,
    GUMBEL_FRACTION,
    SEED_BITS,
    TEMPERATURE_BITS,
    TOP_K_BITS,
    gumbel_table,
)
from ..lib.arithmetic import multiply
from ..lib.memory import block_memory

__all__ = ["Sampler"]

DRAIN = 2  # cycles from a candidate to the end of its comparison


class Sampler(wiring.Component):
    """Choose a token from its logits.

    Computes docs/math.md, Eq. 41 to 43, equal in every bit to
    :class:`lutformer.model.sampling.Sampler`. Without ``top_k`` logits are candidates as they
    come. With it they are stored, and one pass over them finds each candidate: the largest one
    that comes after the candidate before. No order is kept, so no memory but the logits' is needed.
    A candidate's logit is read back when its noise is there.

    From the last logit to the token takes :meth:`latency` cycles.

    Parameters
    ----------
    tokens : int
        V.
    width : int
        Signed width of a logit.
    dsp : bool
        Multiply by the temperature in a DSP block, or in logic.

    Members
    -------
    seed : In(stream.Signature(32))
        Sets the generator; always ready.
    temperature : In(15)
    top_k : In(16)
        Steady while a token is chosen.
    i : In(stream.Signature(signed(width)))
        V logits for each token.
    o : Out(stream.Signature(range(tokens)))
    """

    seed: stream.Interface
    temperature: Signal
    top_k: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, tokens: int, width: int, dsp: bool = True) -> None:
        self.tokens, self.width, self.dsp = tokens, width, dsp
        table = gumbel_table()
        self.gumbel_width = signed_width(min(table), max(table))
        super().__init__(
            {
                "seed": In(stream.Signature(SEED_BITS)),
                "temperature": In(TEMPERATURE_BITS),
                "top_k": In(TOP_K_BITS),
                "i": In(stream.Signature(signed(width))),
                "o": Out(stream.Signature(range(tokens))),
            }
        )

    def latency(self, top_k: int) -> int:
        """Cycles from the last logit to the token."""
        return 1 + DRAIN + min(top_k, self.tokens) * (self.tokens + 3)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.logits = memory = block_memory(shape=signed(self.width), depth=self.tokens)
        write, read = memory.write_port(), memory.read_port()
        index = Signal(range(self.tokens))
        passes = Signal(range(self.tokens + 1))
        drain = Signal(range(DRAIN + 1))
        restart = Signal()
        candidate = Signal()
        token = Signal(range(self.tokens))
        tokens = [Signal.like(token, name=f"token{n}") for n in (1, 2)]  # a cycle later, and two
        take, last = Signal(), index == self.tokens - 1
        best, scan, next_pass = self._scan(m, tokens[1], read.data)

        self._compare(m, restart, candidate, tokens[1], read.data)
        m.d.comb += take.eq(self.i.valid & self.i.ready)
        m.d.comb += [write.addr.eq(index), write.data.eq(self.i.payload), write.en.eq(take)]
        m.d.comb += [token.eq(index), read.addr.eq(tokens[0])]
        m.d.sync += [tokens[0].eq(token), tokens[1].eq(tokens[0])]
        with m.If(take | scan):
            m.d.sync += index.eq(Mux(last, 0, index + 1))
        with m.FSM(name="choose"):
            with m.State("receive"):
                m.d.comb += [self.i.ready.eq(1), candidate.eq(take & (self.top_k == 0))]
                m.d.sync += drain.eq(DRAIN)
                m.d.sync += passes.eq(Mux(self.top_k > self.tokens, self.tokens, self.top_k))
                m.d.comb += next_pass.eq(1)
                with m.If(take & last):
                    m.next = "drain"
                    with m.If(self.top_k != 0):
                        m.next = "scan"
            with m.State("scan"):
                m.d.comb += scan.eq(1)
                with m.If(last):
                    m.next = "settle"
            with m.State("settle"):  # the last logit is read, then looked at
                m.next = "look"
            with m.State("look"):
                m.next = "found"
            with m.State("found"):
                m.d.comb += [token.eq(best), candidate.eq(1), next_pass.eq(1)]
                m.d.sync += passes.eq(passes - 1)
                m.next = "scan"
                with m.If(passes == 1):
                    m.next = "drain"
            with m.State("drain"):
                m.d.sync += drain.eq(drain - 1)
                with m.If(drain == 1):
                    m.next = "token"
            with m.State("token"):
                m.d.comb += [self.o.valid.eq(1), restart.eq(self.o.ready)]
                with m.If(self.o.ready):
                    m.next = "receive"
        return m

    def _scan(self, m: Module, token: Signal, logit: Value) -> tuple[Value, Signal, Signal]:
        """Find, in each pass, the next candidate: the largest below the one before.

        Of equal logits the lower index counts as larger, so that no two are equal.
        """
        scan, next_pass = Signal(name="scan"), Signal(name="next_pass")
        bits = len(token)
        looking, found, limited = Signal(2), Signal(), Signal()
        key = Signal(signed(self.width + bits))
        best, limit = Signal.like(key), Signal.like(key)
        first = Signal()  # of all passes of a token

        m.d.sync += looking.eq(Cat(scan, looking))
        m.d.comb += key.eq(Cat(~token, logit))
        m.d.comb += limited.eq(first | (key < limit))
        with m.If(looking[1] & limited & (~found | (key > best))):
            m.d.sync += [best.eq(key), found.eq(1)]
        with m.If(next_pass):
            m.d.sync += [found.eq(0), limit.eq(best), first.eq(~found)]
        return ~best[:bits], scan, next_pass

    def _compare(
        self, m: Module, restart: Signal, candidate: Signal, token: Signal, logit: Value
    ) -> None:
        """Add noise to candidates, and keep the first of the largest as the token.

        ``token`` and ``logit`` are those of the candidate of two cycles before.
        """
        m.submodules.gumbel = gumbel = block_memory(
            shape=signed(self.gumbel_width), depth=1 << GUMBEL_BITS, init=gumbel_table()
        )
        read = gumbel.read_port()
        state = Signal(SEED_BITS, init=1)
        following = _xorshift(state)
        product = Signal(signed(self.gumbel_width + TEMPERATURE_BITS))
        widest = max(self.width, len(product) - GUMBEL_FRACTION) + 1
        value, best = Signal(signed(widest)), Signal(signed(widest))
        any_ = Signal()
        valid = Signal(2)

        m.d.comb += self.seed.ready.eq(1)
        # Cycle 0: draw a number, look up its noise.
        m.d.comb += read.addr.eq(following[SEED_BITS - GUMBEL_BITS :])
        with m.If(self.seed.valid):
            m.d.sync += state.eq(self.seed.payload)
        with m.Elif(candidate):
            m.d.sync += state.eq(following)
        m.d.sync += valid.eq(Cat(candidate, valid))
        # Cycle 1: multiply by the temperature.
        m.d.sync += product.eq(multiply(read.data, self.temperature, dsp=self.dsp))
        # Cycle 2: add to the logit, compare.
        m.d.comb += value.eq(logit + (product >> GUMBEL_FRACTION))
        with m.If(valid[1] & (~any_ | (value > best))):
            m.d.sync += [best.eq(value), self.o.payload.eq(token), any_.eq(1)]
        with m.If(restart):
            m.d.sync += any_.eq(0)


def _xorshift(state: Value) -> Value:
    """Return the state that follows (Eq. 41)."""
    for shift in (13, -17, 5):
        shifted = state << shift if shift > 0 else state >> -shift
        state = state ^ shifted[:SEED_BITS]
    return state
