"""Layers of lookup tables whose tables and wiring lie in block RAM."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.lut_layer import LutLayer
from ...model.storage.part import check
from ..lib.arithmetic import select
from ..lib.memory import block_memory

__all__ = ["FoldedLutLayers", "FoldedShape"]


@dataclass(frozen=True)
class FoldedShape:
    """Sizes of folded layers.

    Attributes
    ----------
    layers : tuple of LutLayer
        Equal in fan-in; each reads the one before.
    lanes : int
        Tables that are looked up in a cycle.
    """

    layers: tuple[LutLayer, ...]
    lanes: int

    def __post_init__(self) -> None:
        check(self.lanes >= 1, f"Lanes must be at least 1, not {self.lanes}")
        fan_ins = {layer.mapping.shape[1] for layer in self.layers}
        check(len(fan_ins) == 1, "Layers must agree in fan-in")

    @property
    def steps(self) -> list[int]:
        """Cycles in which each layer's tables are looked up; words of the program."""
        return [-(-layer.luts // self.lanes) for layer in self.layers]

    @property
    def width(self) -> int:
        """Bits of the widest layer."""
        return max(self.layers[0].inputs, *(steps * self.lanes for steps in self.steps))

    @property
    def fan_in(self) -> int:
        """Inputs of a table."""
        return self.layers[0].mapping.shape[1]

    @property
    def place_bits(self) -> int:
        """Bits that say which bit of the layer before an address bit is."""
        return max(1, (self.width - 1).bit_length())

    @property
    def lane_bits(self) -> int:
        """Bits of the program that describe a table."""
        return (1 << self.fan_in) + self.fan_in * self.place_bits


class FoldedLutLayers(wiring.Component):
    """Look up the tables of several layers, a few at a time.

    Computes docs/math.md, Eq. 16, layer after layer, equal in every bit to
    :func:`lutformer.model.lut_layer.lut_layer`. The bits of the layer before lie in registers, from
    which each address bit is chosen; the outputs are shifted into others, which take their place
    when the layer is done. So a layer's size costs block RAM and two registers a bit, and a
    multiplexer for each address bit of each lane.

    A layer of N tables takes ``ceil(N / lanes) + 2`` cycles. From the bits in to the first word
    out takes :attr:`latency` cycles; while ``o`` is stalled everything holds.

    Parameters
    ----------
    layers : sequence of LutLayer
        Equal in fan-in; each reads the one before.
    lanes : int
        Tables that are looked up in a cycle.

    Members
    -------
    i : In(stream.Signature(layers[0].inputs))
    o : Out(stream.Signature(lanes))
        The bits of the last layer, ``lanes`` at a time; zeros fill the last word.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, layers: Sequence[LutLayer], *, lanes: int) -> None:
        self.shape = shape = FoldedShape(tuple(layers), lanes)
        self.layers, self.lanes = shape.layers, lanes
        self.steps, self.width, self.fan_in = shape.steps, shape.width, shape.fan_in
        self.place_bits, self.lane_bits = shape.place_bits, shape.lane_bits
        super().__init__(
            {"i": In(stream.Signature(layers[0].inputs)), "o": Out(stream.Signature(lanes))}
        )

    @property
    def latency(self) -> int:
        """Cycles from the bits in to the first word out."""
        return sum(steps + 2 for steps in self.steps[:-1]) + 3

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.program = program = block_memory(
            shape=self.lanes * self.lane_bits, depth=sum(self.steps), init=self._program()
        )
        read = program.read_port()
        current, following = Signal(self.width), Signal(self.width)
        counter = Signal(range(sum(self.steps) + 1))  # of words of the program
        running, busy, step = Signal(), Signal(), Signal()
        fetched, found = Signal(2), Signal(2)  # whether there is a word, and a layer's last one
        final = Signal()  # in the last layer
        last = Cat(*[counter == end - 1 for end in self._ends()]).any()

        m.d.comb += [step.eq(~self.o.valid | self.o.ready), self.i.ready.eq(~busy)]
        # Cycle 0: fetch a word of the program.
        m.d.comb += [read.addr.eq(counter), read.en.eq(step)]
        with m.If(step):
            m.d.sync += [fetched.eq(Cat(running, running & last)), found.eq(fetched)]
            with m.If(running):
                m.d.sync += [counter.eq(counter + 1), running.eq(~last)]
        # Cycle 1: choose the address bits.
        bits = self._look_up(m, read.data, current, step)
        shifted = Cat(following, bits)[self.lanes :]
        # Cycle 2: the outputs; after the last ones of a layer the next one starts.
        m.d.comb += [self.o.payload.eq(bits), self.o.valid.eq(found[0] & final)]
        with m.If(step & found[0]):
            m.d.sync += following.eq(shifted)
            with m.If(found[1]):
                m.d.sync += [current.eq(shifted), running.eq(~final), busy.eq(~final)]
                m.d.sync += final.eq(counter == sum(self.steps[:-1]))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [current.eq(self.i.payload), counter.eq(0)]
            m.d.sync += [running.eq(1), busy.eq(1), final.eq(len(self.steps) == 1)]
        return m

    def _ends(self) -> list[int]:
        """Return where each layer's part of the program ends."""
        return [sum(self.steps[: n + 1]) for n in range(len(self.steps))]

    def _look_up(self, m: Module, word: Value, current: Value, step: Value) -> Value:
        """Return the outputs of all lanes, a cycle after the word that describes them."""
        outputs, places = [], list(current)
        for n in range(self.lanes):
            lane = word[n * self.lane_bits : (n + 1) * self.lane_bits]
            entries = 1 << self.fan_in
            table, address = Signal(entries), Signal(self.fan_in)
            where = [
                lane[entries + k * self.place_bits :][: self.place_bits] for k in range(self.fan_in)
            ]
            with m.If(step):
                m.d.sync += table.eq(lane[:entries])
                m.d.sync += address.eq(Cat(*[select(places, place) for place in where]))
            outputs.append(select(list(table), address))
        return Cat(*outputs)

    def _program(self) -> list[int]:
        """Return the words: each lane's table, and above it the place of each address bit."""
        words = []
        first = 0  # place of the bit that the layer calls 0
        for layer, steps in zip(self.layers, self.steps, strict=True):
            for start in range(0, steps * self.lanes, self.lanes):
                word = 0
                for n in range(start, min(start + self.lanes, layer.luts)):
                    word |= self._lane(layer, n, first) << (n - start) * self.lane_bits
                words.append(word)
            first = self.width - steps * self.lanes  # outputs are shifted in from above
        return words

    def _lane(self, layer: LutLayer, lut: int, first: int) -> int:
        entries = layer.tables.shape[1]
        lane = sum(int(bit) << a for a, bit in enumerate(layer.tables[lut]))
        for k, place in enumerate(layer.mapping[lut]):
            lane |= first + int(place) << entries + k * self.place_bits
        return lane
