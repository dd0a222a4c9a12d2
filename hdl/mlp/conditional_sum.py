"""Conditional summation in hardware."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model import conditional_sum as golden
from ...model.arithmetic import signed_width
from ...model.storage.part import check
from ..lib.arithmetic import Popcount, adder_tree, multiple, popcount, select
from ..lib.memory import ReadPort, block_memory, read_port

__all__ = ["ConditionalSum", "ConditionalSumConfig"]

DEEP = 128
"""Lanes up to which one cycle is enough for their sum."""
FEW = 32
"""Lanes that are summed up first where one is not."""


@dataclass(frozen=True, kw_only=True)
class ConditionalSumConfig:
    """Layers that one engine serves, and its lanes.

    Attributes
    ----------
    layers : tuple of ConditionalSum
    lanes : int
        Bits that are looked at in a cycle.
    registers : bool
        Register what the lanes add before it is summed up, and with many lanes sums of a few.
    popcount : "tree" or "carry"
        How ternary lanes are counted, see :func:`popcount`.
    external : bool
        Weights lie in a memory outside.
    """

    layers: tuple[golden.ConditionalSum, ...]
    lanes: int
    registers: bool = True
    popcount: Popcount = "tree"
    external: bool = False

    def __post_init__(self) -> None:
        check(self.lanes >= 1, f"Lanes must be at least 1, not {self.lanes!r}")
        shapes = {(layer.grouped, layer.weight.shape) for layer in self.layers}
        check(
            len(shapes) == 1 or not any(grouped for grouped, _ in shapes),
            "Conditional sums must agree in channels, bits and grouping if one is grouped",
        )

    @property
    def ternary(self) -> bool:
        """Whether all weights are -1, 0 or 1."""
        return all(layer.kind == "ternary" for layer in self.layers)

    @property
    def grouped(self) -> bool:
        """Whether each channel sums its own bits only."""
        return self.layers[0].grouped

    @property
    def channels(self) -> int:
        """D."""
        return self.layers[0].channels

    def slices(self, layer: golden.ConditionalSum) -> int:
        """Cycles that a channel takes."""
        return -(-layer.weight.shape[1] // self.lanes)

    @property
    def stages(self) -> int:
        """Registers between a word of weights and the sum of its lanes."""
        return (1 + (self.lanes > DEEP)) if self.registers else 0

    @property
    def weight_width(self) -> int:
        """Bits of a word of weights."""
        return (2 if self.ternary else 8) * self.lanes

    @property
    def weight_words(self) -> int:
        """Words of weights of all layers."""
        return sum(self.channels * self.slices(layer) for layer in self.layers)

    @property
    def weights(self) -> list[int]:
        """Words of weights: lane by lane, 01 for +1, 11 for -1, or eight bits."""
        bits, image = 2 if self.ternary else 8, []
        for layer in self.layers:
            padded = np.zeros((self.channels, self.slices(layer) * self.lanes), np.int64)
            padded[:, : layer.weight.shape[1]] = layer.weight
            for word in padded.reshape(-1, self.lanes) & (1 << bits) - 1:
                image.append(sum(int(w) << bits * n for n, w in enumerate(word)))
        return image

    @property
    def output_width(self) -> int:
        """Signed width of an output."""
        return max(layer.accumulator_width + layer.shift for layer in self.layers)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a sweep over the slices of all channels stands.

    Attributes
    ----------
    issue : Signal
        There is a token.
    slice, channel : Signal
    last : Signal
        The slice is the channel's last one.
    offset, word : Signal
        Number of the word of weights, in the layer and in all of them.
    """

    issue: Signal
    slice: Signal
    channel: Signal
    last: Signal
    offset: Signal
    word: Signal


class ConditionalSum(wiring.Component):
    """Add up the weights of the bits that are set, channel after channel.

    Computes docs/math.md, Eq. 17, equal in every bit to
    :func:`lutformer.model.conditional_sum.conditional_sum`. With ternary weights a bit meets its
    weight in one gate: the sum over a slice of bits is the popcount of those that disagree with
    their weight's sign, less the number of negative weights, which the bias takes up beforehand.

    A token takes ``D * slices`` cycles; from its arrival to the first channel out takes
    :attr:`latency` cycles plus the slices of a channel.

    Parameters
    ----------
    config : ConditionalSumConfig

    Members
    -------
    layer : In(range(len(config.layers) + 1))
        Whose weights are used; steady during a token.
    i : In(stream.Signature(bits))
        The bits of a token, as many as the widest layer has.
    o : Out(stream.Signature(signed(config.output_width)))
        D channels a token.
    weights : Out(read_port(config.weight_width, config.weight_words))
        None unless they are ``external``: reads ``config.weights``.
    """

    layer: Signal
    weights: ReadPort | None
    i: stream.Interface
    o: stream.Interface

    def __init__(self, config: ConditionalSumConfig) -> None:
        self.config = config
        self.bits = max(layer.inputs for layer in config.layers)
        port = Out(read_port(config.weight_width, config.weight_words))
        super().__init__(
            ({"weights": port} if config.external else {})
            | {
                "layer": In(range(len(config.layers) + 1)),
                "i": In(stream.Signature(self.bits)),
                "o": Out(stream.Signature(signed(config.output_width))),
            }
        )
        if not config.external:
            self.weights = None

    @property
    def latency(self) -> int:
        """Cycles from a token's arrival to its first channel, the slices of a channel aside."""
        return 3 + self.config.stages

    def _biases(self) -> list[int]:
        """Return the biases, less the number of negative weights where these are ternary."""
        out: list[int] = []
        for layer in self.config.layers:
            negative = (layer.weight < 0).sum(1) if self.config.ternary else 0
            out += (layer.bias.astype(np.int64) - negative).tolist()
        return out

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        biases = self._biases()
        reach = max(layer.weight.shape[1] for layer in config.layers)
        low, high = min(biases), max(biases)
        # Any partial sum lies between the bias and what the whole layer can add.
        width = max(signed_width(low - 128 * reach, high + 128 * reach), 2)
        if config.ternary:
            width = signed_width(min(low, 0), max(high, 0) + reach)
        m.submodules.biases = bias_memory = block_memory(
            shape=signed(signed_width(low, high)),
            depth=len(biases),
            init=biases,
        )
        read, bias_read = self._weights(m), bias_memory.read_port()
        step = Signal()
        at = self._sweep(m, step)
        first_bias = multiple(self.layer, config.channels, len(config.layers))
        depth = range(1, 3 + config.stages)
        stages = [Signal(3, name=f"stage{n}") for n in depth]  # valid, first, last
        layers = [Signal.like(self.layer, name=f"layer{n}") for n in depth]
        biases_at = [Signal(signed(width), name=f"bias{n}") for n in depth[1:]]
        bits = Signal(config.lanes, reset_less=True)  # so many that a reset would reach them late
        partial = Signal(signed(width))
        total = Signal(signed(width))

        m.d.comb += step.eq(~self.o.valid | self.o.ready)
        # Cycle 0: read weights and bias, pick the slice of bits.
        m.d.comb += [read.addr.eq(at.word), read.en.eq(step & at.issue)]
        m.d.comb += [
            bias_read.addr.eq(first_bias + at.channel),
            bias_read.en.eq(step),
        ]
        with m.If(step):
            m.d.sync += [
                stages[0].eq(Cat(at.issue, at.slice == 0, at.last)),
                layers[0].eq(self.layer),
            ]
            m.d.sync += bits.eq(self._slice(at.offset if config.grouped else at.slice))
            for registers in (stages, layers, [bias_read.data, *biases_at]):
                for source, target in pairwise(registers):
                    m.d.sync += target.eq(source)
            # Cycle 1: each bit meets its weight. The same cycle, or the next: sum over the slice.
            m.d.sync += partial.eq(self._sum(m, self._masked(m, bits, read.data, step), step))
        # Next cycle: accumulate.
        valid, first, done = stages[-1]
        running = Signal(signed(width))
        m.d.comb += total.eq(Mux(first, biases_at[-1], running) + partial)
        with m.If(step):
            m.d.sync += self.o.valid.eq(valid & done)
            with m.If(valid):
                m.d.sync += [
                    running.eq(total),
                    self.o.payload.eq(self._shifted(m, total, layers[-1])),
                ]
        return m

    def _weights(self, m: Module) -> ReadPort:
        """Return the port that reads the weights."""
        config = self.config
        if self.weights is not None:
            return self.weights
        m.submodules.weights = memory = block_memory(
            shape=unsigned(config.weight_width), depth=config.weight_words, init=config.weights
        )
        return memory.read_port()

    def _sweep(self, m: Module, step: Signal) -> _Place:
        """Count slices and channels; return where the count stands."""
        config = self.config
        slices = [config.slices(layer) for layer in config.layers]
        firsts = np.cumsum([0, *[n * config.channels for n in slices]])
        issue = Signal()
        slice_ = Signal(range(max(slices)))
        channel = Signal(range(config.channels))
        offset = Signal(range(int(firsts[-1]) + 1), name="offset")
        last = Signal()
        word = Signal(range(int(firsts[-1]) + 1), name="_word")

        with m.Switch(self.layer):
            for n, count in enumerate(slices):
                with m.Case(n):
                    m.d.comb += last.eq(slice_ == count - 1)
                    m.d.comb += word.eq(offset + int(firsts[n]))
        m.d.comb += issue.eq(self.i.valid)
        m.d.comb += self.i.ready.eq(step & last & (channel == config.channels - 1))
        with m.If(step & issue):
            m.d.sync += [slice_.eq(Mux(last, 0, slice_ + 1)), offset.eq(offset + 1)]
            with m.If(last):
                m.d.sync += channel.eq(channel + 1)
            with m.If(self.i.ready):
                m.d.sync += [channel.eq(0), offset.eq(0)]
        return _Place(
            issue=issue, slice=slice_, channel=channel, last=last, offset=offset, word=word
        )

    def _slice(self, index: Signal) -> Value:
        """Return the bits of a slice: one of all bits, or, grouped, one of each channel in turn."""
        lanes = self.config.lanes
        size = self.config.layers[0].weight.shape[1] if self.config.grouped else self.bits
        words = [self.i.payload[at : at + size] for at in range(0, self.bits, size)]
        return select([word[n : n + lanes] for word in words for n in range(0, size, lanes)], index)

    def _masked(self, m: Module, bits: Value, weights: Value, step: Signal) -> list[Value]:
        """Return the addend of each lane: a bit, or a weight; after registers if there are any."""
        lanes = range(self.config.lanes)
        if self.config.ternary:
            terms = [weights[2 * n] & (bits[n] ^ weights[2 * n + 1]) for n in lanes]
        else:
            terms = [Mux(bits[n], weights.word_select(n, 8), 0).as_signed() for n in lanes]
        if not self.config.registers:
            return terms
        masked = [
            Signal.like(term, name=f"masked{n}", reset_less=True) for n, term in enumerate(terms)
        ]
        with m.If(step):
            m.d.sync += [target.eq(term) for target, term in zip(masked, terms, strict=True)]
        return list(masked)

    def _sum(self, m: Module, terms: list[Value], step: Signal) -> Value:
        """Return the sum of the lanes, with many of them by way of registered sums of a few."""
        config = self.config
        if config.stages > 1:
            few = [self._add(terms[at : at + FEW]) for at in range(0, len(terms), FEW)]
            held = [
                Signal.like(Value.cast(sum_), name=f"few{n}", reset_less=True)
                for n, sum_ in enumerate(few)
            ]
            with m.If(step):
                m.d.sync += [target.eq(sum_) for target, sum_ in zip(held, few, strict=True)]
            return adder_tree(held)
        return self._add(terms)

    def _add(self, terms: list[Value]) -> Value:
        config = self.config
        return popcount(Cat(*terms), config.popcount) if config.ternary else adder_tree(terms)

    def _shifted(self, m: Module, total: Signal, layer_at_hand: Signal) -> Value:
        out = Signal(signed(self.config.output_width))
        with m.Switch(layer_at_hand):
            for n, layer in enumerate(self.config.layers):
                with m.Case(n):
                    m.d.comb += out.eq(total << layer.shift)
        return out
