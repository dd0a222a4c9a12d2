"""Linear attention on binary codes in hardware: buffers, running sums, normalisation."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import connect

from ...model.arithmetic import ACTIVATION_BITS
from .engine import AttentionEngine
from .kernel_hash import KernelHash
from .linear_config import LinearAttentionConfig
from .linear_sums import LinearSums
from .normalise import Normalise
from .token_buffer import TokenBuffer

__all__ = ["LinearAttention"]


class LinearAttention(AttentionEngine[LinearAttentionConfig]):
    """Mix values by sums over the bits of codes, at a cost linear in the tokens.

    Computes docs/math.md, Eq. 30 to 34, and with a kernel hash 26 to 29, equal in every bit to
    :func:`lutformer.model.linear_attention.mix_linear`. A layer whose tokens all see each other
    takes two passes over the tokens, a causal one a single pass: there a token's outputs follow
    its inputs at once, and no memory grows with the tokens.

    A pass takes ``config.words`` cycles a token, the first token of a job no more than the others;
    all tokens take ``config.cycles`` at least. From the last input of a lone token to its first
    output, in a layer that is not causal from the last token's, takes :attr:`latency` cycles.

    Parameters
    ----------
    config : LinearAttentionConfig

    Members
    -------
    job : In(stream.Signature(range(len(config.layers) + 1)))
        The layer; taken when all sums of the job before are out. Only then its data are accepted.
    codes : In(stream.Signature(1))
        Only with a linear hash. Of each token: the bits of each head that queries and keys share,
        or those of each head's query, then of each head's key.
    before : In(range(config.max_before + 1))
        Only with contexts of many jobs: tokens of the context before the job's; steady during it.
    values : In(stream.Signature(signed(8)))
        Of each token: with a kernel hash the projected elements of each head, then the value
        columns of each head.
    o : Out(stream.Signature(signed(8)))
        Of each token: the mixed columns of each head.
    """

    def __init__(self, config: LinearAttentionConfig) -> None:
        self.sums, self.normalise = LinearSums(config), Normalise(config)
        self.hash = None if config.kernel is None else KernelHash(config.kernel)
        super().__init__(config, codes=self.hash is None)

    @property
    def latency(self) -> int:
        """Cycles from the last value in to the first mixed value out."""
        config = self.config
        first_pass = 0 if config.causal else max(config.words, config.depth)
        return 1 + first_pass + self.sums.latency + self.normalise.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sums, m.submodules.normalise = self.sums, self.normalise
        m.submodules.values = values = self._buffer(
            self.config.head_width, self.config.columns, self.config.kept_values, ACTIVATION_BITS
        )
        m.submodules.queries = queries = self._buffer(
            self.config.code_bits, self.config.code_bits, self.config.kept_tokens
        )
        keys = queries
        if not self.config.shared:
            m.submodules.keys = keys = self._buffer(
                self.config.code_bits, self.config.code_bits, min(self.config.tokens, 2)
            )
        start = self._start(m)
        self._route(m, start, queries, keys, values)
        for buffer in {id(buffer): buffer for buffer in (values, queries, keys)}.values():
            following = self.sums.next_values if buffer is values else self.sums.next_code
            m.d.comb += [buffer.start.eq(start), buffer.release.eq(self.sums.release)]
            m.d.comb += [buffer.step.eq(self.sums.step), buffer.following.eq(following)]
        m.d.comb += self.sums.complete.eq(values.complete & queries.complete & keys.complete)
        m.d.comb += [self.sums.query.eq(queries.word), self.sums.key.eq(keys.word)]
        m.d.comb += self.sums.values.eq(values.word)
        connect(m, self.sums.o, self.normalise.i)
        connect(m, wiring.flipped(self.o), self.normalise.o)
        return m

    def _buffer(self, elements: int, lanes: int, room: int, bits: int = 1) -> TokenBuffer:
        return TokenBuffer(
            bits=bits,
            elements=elements,
            heads=self.config.heads,
            tokens=self.config.tokens,
            lanes=lanes,
            room=room,
        )

    def _start(self, m: Module) -> Signal:
        """Take a job when every part is idle; return whether one is taken."""
        start = Signal()
        idle = self.sums.idle
        if self.hash is not None:
            m.submodules.hash = self.hash
            idle = idle & self.hash.job.ready
            m.d.comb += [self.hash.job.valid.eq(start), self.hash.job.payload.eq(self.job.payload)]
        m.d.comb += [self.job.ready.eq(idle), start.eq(self.job.valid & self.job.ready)]
        m.d.comb += self.sums.start.eq(start)
        m.d.comb += self.sums.fresh.eq(1 if self.before is None else self.before == 0)
        with m.If(start):
            m.d.sync += self.sums.layer.eq(self.job.payload)
        return start

    def _route(
        self, m: Module, start: Signal, queries: TokenBuffer, keys: TokenBuffer, values: TokenBuffer
    ) -> None:
        """Lead the inputs of a token to their buffers, or through the hash."""
        heads, code = self.config.heads, self.config.heads * self.config.code_bits
        if self.hash is not None:
            parts = (self.hash.i, heads * self.hash.config.elements)
            self._alternate(m, self.values, *parts, values.i, heads * self.config.head_width)
            connect(m, self.hash.o, queries.i)
            return
        assert self.codes is not None
        connect(m, wiring.flipped(self.values), values.i)
        if keys is queries:
            connect(m, wiring.flipped(self.codes), queries.i)
        else:
            self._alternate(m, self.codes, queries.i, code, keys.i, code)

    def _alternate(
        self,
        m: Module,
        source: stream.Interface,
        first: stream.Interface,
        count: int,
        second: stream.Interface,
        other: int,
    ) -> None:
        """Send ``count`` words to the first stream, then ``other`` to the second, in turn."""
        done = Signal(range(count + other))
        upper = done >= count
        m.d.comb += [first.payload.eq(source.payload), second.payload.eq(source.payload)]
        m.d.comb += [first.valid.eq(source.valid & ~upper), second.valid.eq(source.valid & upper)]
        m.d.comb += source.ready.eq(Mux(upper, second.ready, first.ready))
        with m.If(source.valid & source.ready):
            m.d.sync += done.eq(Mux(done == count + other - 1, 0, done + 1))
