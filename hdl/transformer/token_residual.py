"""The residual stream of a lone token, in hardware."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect
from numpy.typing import NDArray

from ...model.arithmetic import RESIDUAL_BITS, signed_width
from ...model.storage.part import check
from ...model.token_embedding import TokenEmbedding
from ..lib.arithmetic import adder_tree, clamp, select
from ..lib.memory import ReadPort, block_memory, read_port
from ..lib.skid_buffer import SkidBuffer

__all__ = ["StoredVectors", "TokenResidual"]


@dataclass(frozen=True)
class StoredVectors:
    """Vectors of tokens in words of a memory that weights share.

    Attributes
    ----------
    vectors : int16 [V, D]
    weight_width : int
        Bits of a word.
    """

    vectors: NDArray[Any]
    weight_width: int

    def __post_init__(self) -> None:
        lanes, rest = divmod(self.weight_width, RESIDUAL_BITS)
        width = self.vectors.shape[1]
        check(
            rest == 0 and lanes > 0 and lanes & lanes - 1 == 0 and width % lanes == 0,
            f"Vectors of {width} channels of {RESIDUAL_BITS} bits cannot be stored in words of "
            f"{self.weight_width} bits",
        )

    @property
    def lanes(self) -> int:
        """Channels of a word."""
        return self.weight_width // RESIDUAL_BITS

    @property
    def weight_words(self) -> int:
        """Words of all vectors."""
        return self.vectors.size // self.lanes

    @property
    def weights(self) -> list[int]:
        """Words of all vectors, concatenated."""
        image = self.vectors.astype(np.int64).reshape(-1, self.lanes) & (1 << RESIDUAL_BITS) - 1
        return [sum(int(x) << RESIDUAL_BITS * n for n, x in enumerate(word)) for word in image]


class TokenResidual(wiring.Component):
    """Memory of D channels that is set to an embedding, and added to by two writers.

    Computes docs/math.md, Eq. 38, and the residual additions. One channel a cycle; each leaves
    :attr:`latency` cycles later, as it is written, so that layer norm need not ask for it.

    Parameters
    ----------
    embedding : TokenEmbedding
    mlp_width : int
        Signed width of what the MLP adds.
    stored : int
        If not 0, the tokens' vectors lie in a memory outside, with words of so many bits.
    registers : bool
        Register what has been read before it is added, for large memories are slow, and whether
        the two writers may go on.

    Members
    -------
    job : In(stream.Signature(1))
        Set all channels to the token's embedding; taken with the last one.
    token : In(range(V))
    place : In(range(max(embedding.positions, 1)))
        Which token, and where; steady from the cycle before a job to its end.
    linear : In(stream.Signature(signed(16)))
    mlp : In(stream.Signature(signed(mlp_width)))
        D channels in turn; only one of them at a time, and none during a job.
    o : Out(stream.Signature(signed(16)))
        Every channel as it is written.
    weights : Out(read_port(weight_width, weight_words))
        None unless vectors are ``stored``: reads ``config.weights``.
    """

    job: stream.Interface
    token: Signal
    place: Signal
    linear: stream.Interface
    mlp: stream.Interface
    o: stream.Interface
    weights: ReadPort | None

    def __init__(
        self,
        embedding: TokenEmbedding,
        *,
        mlp_width: int,
        stored: int = 0,
        registers: bool = True,
    ) -> None:
        self.embedding, self.registers = embedding, registers
        self.tokens, self.width = embedding.token.shape
        check(
            self.width > self.latency,
            f"A residual stream must have more than {self.latency} channels, not {self.width}",
        )
        self.config = StoredVectors(embedding.token, stored) if stored else None
        port = {}
        if self.config is not None:
            port["weights"] = Out(read_port(self.config.weight_width, self.config.weight_words))
        super().__init__(
            port
            | {
                "job": In(stream.Signature(1)),
                "token": In(range(self.tokens)),
                "place": In(range(max(embedding.positions, 1))),
                "linear": In(stream.Signature(signed(RESIDUAL_BITS))),
                "mlp": In(stream.Signature(signed(mlp_width))),
                "o": Out(stream.Signature(signed(RESIDUAL_BITS))),
            }
        )
        if self.config is None:
            self.weights = None

    @property
    def latency(self) -> int:
        """Cycles from a channel in to the same one out."""
        return 1 + self.registers

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.channels = memory = block_memory(shape=signed(RESIDUAL_BITS), depth=self.width)
        read, write = memory.read_port(), memory.write_port()
        channel = Signal(range(self.width))
        last = channel == self.width - 1
        step, take = Signal(), Signal()
        valid, placed, address = Signal(), Signal(), Signal.like(channel)
        value = Signal(signed(max(len(self.mlp.payload), RESIDUAL_BITS)))

        linear, mlp = self._arriving(m, "linear"), self._arriving(m, "mlp")

        # Cycle 0: read the channel.
        m.d.comb += step.eq(~self.o.valid | self.o.ready)
        m.d.comb += [linear.ready.eq(step), mlp.ready.eq(step)]
        m.d.comb += self.job.ready.eq(step & last)
        m.d.comb += take.eq(step & (self.job.valid | mlp.valid | linear.valid))
        m.d.comb += [read.addr.eq(channel), read.en.eq(step)]
        with m.If(take):
            m.d.sync += channel.eq(Mux(last, 0, channel + 1))
        with m.If(step):
            m.d.sync += [valid.eq(take), placed.eq(self.job.valid), address.eq(channel)]
            m.d.sync += value.eq(Mux(mlp.valid, mlp.payload, linear.payload))
        if self.config is None:
            token = self._look_up(m, "tokens", self.embedding.token, self.token, channel, step)
        else:
            token = self._fetch(m, self.config, channel, step)
        place = self._look_up(m, "places", self.embedding.position, self.place, channel, step)
        # Cycle 1, or the next: add, saturate, write.
        terms = (Mux(placed, token, value), Mux(placed, place, read.data))
        left, right = (Signal(signed(len(term)), name=f"term{n}") for n, term in enumerate(terms))
        fetched = [
            (self.o.valid, valid),
            (write.addr, address),
            (left, terms[0]),
            (right, terms[1]),
        ]
        if self.registers:
            with m.If(step):
                m.d.sync += [target.eq(source) for target, source in fetched]
        else:
            m.d.comb += [target.eq(source) for target, source in fetched]
        m.d.comb += self.o.payload.eq(clamp(left + right, RESIDUAL_BITS))
        m.d.comb += write.data.eq(self.o.payload)
        m.d.comb += write.en.eq(self.o.valid & self.o.ready)
        return m

    def _arriving(self, m: Module, name: str) -> stream.Interface:
        """Return the increment of a writer."""
        writer = getattr(self, name)
        if not self.registers:
            return writer
        m.submodules[name] = skid = SkidBuffer(writer.payload.shape())
        connect(m, wiring.flipped(writer), skid.i)
        return skid.o

    def _fetch(self, m: Module, config: "StoredVectors", channel: Signal, step: Signal) -> Value:
        """Return a channel of the token, one cycle later, from the memory outside."""
        lane = Signal(range(config.lanes))
        lane_bits = (config.lanes - 1).bit_length()
        first = Signal(range(config.weight_words))
        m.d.sync += first.eq(_times(self.token, self.width // config.lanes))
        assert self.weights is not None
        m.d.comb += self.weights.addr.eq(first + channel[lane_bits:])
        m.d.comb += self.weights.en.eq(step & self.job.valid)
        with m.If(step):
            m.d.sync += lane.eq(channel[:lane_bits])
        words = [self.weights.data.word_select(n, RESIDUAL_BITS) for n in range(config.lanes)]
        return select(words, lane).as_signed()

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
        m.d.sync += first.eq(_times(row, self.width))
        m.d.comb += [read.addr.eq(first + channel), read.en.eq(step)]
        return read.data


def _times(value: Value, factor: int) -> Value:
    """Multiply by a constant, in logic."""
    return adder_tree([value << n for n in range(factor.bit_length()) if factor >> n & 1])
