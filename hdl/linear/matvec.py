"""Matrix times vector in hardware: all linear layers of a network on one engine."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import ACTIVATION_BITS, RESIDUAL_BITS
from ...model.linear import MULTIPLIER_BITS, Linear
from ..lib.arithmetic import adder_tree, signed_sum
from ..lib.memory import ReadPort, block_memory, read_port
from ..lib.requantize import Requantize
from .matvec_config import MatVecConfig

__all__ = ["MatVec", "MatVecConfig", "stack"]


def stack(*layers: Linear) -> Linear:
    """Return one layer with the rows of all ``layers``, which read the same vector."""
    return Linear(
        kind=layers[0].kind,
        weight=np.concatenate([layer.weight for layer in layers]),
        bias=np.concatenate([layer.bias for layer in layers]),
        multiplier=np.concatenate([layer.multiplier for layer in layers]),
    )


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """The layer at hand.

    Attributes
    ----------
    first_word, first_row : Signal
        Where its weights, and its biases and multipliers, begin.
    columns, words : Signal
        Elements of a vector, and words of the vector buffer that they take.
    rows : Signal
        Outputs of a vector.
    all_rows, raw_rows : Signal
        Rows of the layer, and how many of them leave as accumulators.
    """

    first_word: Signal
    first_row: Signal
    columns: Signal
    words: Signal
    rows: Signal
    all_rows: Signal
    raw_rows: Signal


class MatVec(wiring.Component):
    """Multiply vectors by the matrix of a layer, add the bias, requantise.

    Computes docs/math.md, Eq. 4 and 5, equal in every bit to
    :func:`lutformer.model.linear.scaled_linear`. A job names a layer and a number of vectors.
    While one vector is multiplied, the next arrives.

    Each cycle ``inputs * rows`` weights are used; a vector takes ``ceil(columns / inputs) *
    ceil(rows / rows lanes)`` cycles, or as many as it has outputs if that is more. From the last
    element of a lone vector to its first output takes :attr:`latency` cycles plus the words of a
    vector.

    Parameters
    ----------
    config : MatVecConfig

    Members
    -------
    job : In(stream.Signature(StructLayout(layer, vectors)))
    i : In(stream.Signature(signed(8)))
        Elements of the vectors in order.
    raw : Out(stream.Signature(signed(config.accumulator_width)))
        Accumulators of the first ``raw`` rows of each vector.
    scaled : Out(stream.Signature(signed(16)))
        Requantised outputs of the other rows.
    layer : Out(range(len(config.layers) + 1))
        Layer of the job at hand.
    weights : Out(read_port(config.weight_width, config.weight_words))
        None unless they are ``external``: reads ``config.weights``.
    """

    job: stream.Interface
    i: stream.Interface
    raw: stream.Interface
    scaled: stream.Interface
    layer: Signal
    weights: ReadPort | None

    def __init__(self, config: MatVecConfig) -> None:
        self.config = config
        self.job_layout = data.StructLayout(
            {"layer": range(len(config.layers) + 1), "vectors": range(config.vectors + 1)}
        )
        port = Out(read_port(config.weight_width, config.weight_words))
        super().__init__(
            ({"weights": port} if config.external else {})
            | {
                "job": In(stream.Signature(self.job_layout)),
                "i": In(stream.Signature(signed(ACTIVATION_BITS))),
                "raw": Out(stream.Signature(signed(config.accumulator_width))),
                "scaled": Out(stream.Signature(signed(RESIDUAL_BITS))),
                "layer": Out(range(len(config.layers) + 1)),
            }
        )
        if not config.external:
            self.weights = None

    @cached_property
    def requantize(self) -> Requantize:
        """The requantiser of the outputs, if any is scaled."""
        return Requantize(
            acc_width=self.config.accumulator_width,
            multiplier_width=MULTIPLIER_BITS - 1,
            shift=self.config.shift,
            bits=RESIDUAL_BITS,
            dsp=self.config.dsp,
            registers=self.config.registers,
        )

    @property
    def raw_latency(self) -> int:
        """Cycles from a lone vector's last element to a raw output, its words aside."""
        return 6 + self.config.registers

    @property
    def latency(self) -> int:
        """Cycles from a lone vector's last element to a scaled output, its words aside."""
        return self.raw_latency + self.requantize.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        busy = Signal()
        received = Signal(range(self.config.vectors + 1))
        waiting = Signal(range(self.config.vectors + 1))
        shape = self._decode(m)
        in_flight = Signal(range(8))
        with m.If(self.job.ready):
            m.d.sync += busy.eq(self.job.valid)
        with m.If(self.job.ready & self.job.valid):
            m.d.sync += [self.layer.eq(self.job.p.layer)]
            m.d.sync += [received.eq(self.job.p.vectors), waiting.eq(self.job.p.vectors)]
        full, vector_read = self._receive(m, shape, received)
        drain = self._multiply(m, shape, vector_read, busy, waiting, full)
        idle = (waiting == 0) & ~drain.valid & (in_flight == 0)
        m.d.comb += self.job.ready.eq(~busy | idle)
        self._finish(m, shape, drain, in_flight)
        return m

    def _decode(self, m: Module) -> _Shape:
        """Return what the layer at hand looks like."""
        config = self.config
        sizes = [config.words(n) * config.groups(n) * config.interleave for n in config.layers]
        firsts = np.cumsum([0, *sizes])
        rows = np.cumsum([0] + [n.out_features for n in config.layers])
        widest = max(n.out_features for n in config.layers)
        shape = _Shape(
            first_word=Signal(range(int(firsts[-1]) + 1), name="first_word"),
            first_row=Signal(range(int(rows[-1]) + 1), name="first_row"),
            columns=Signal(range(max(n.in_features for n in config.layers) + 1), name="columns"),
            words=Signal(range(max(map(config.words, config.layers)) + 1), name="words"),
            rows=Signal(range(widest // config.interleave + 1), name="rows"),
            all_rows=Signal(range(widest + 1), name="all_rows"),
            raw_rows=Signal(range(max(config.raw) + 1), name="raw_rows"),
        )
        with m.Switch(self.layer):
            for n, layer in enumerate(config.layers):
                with m.Case(n):
                    m.d.comb += shape.first_word.eq(int(firsts[n]))
                    m.d.comb += shape.first_row.eq(int(rows[n]))
                    m.d.comb += shape.columns.eq(layer.in_features)
                    m.d.comb += shape.words.eq(config.words(layer))
                    m.d.comb += shape.rows.eq(layer.out_features // config.interleave)
                    m.d.comb += shape.all_rows.eq(layer.out_features)
                    m.d.comb += shape.raw_rows.eq(config.raw[n])
        return shape

    def _receive(self, m: Module, shape: _Shape, received: Signal) -> tuple[Signal, ReadPort]:
        """Pack elements into words of the vector buffer's two banks.

        Return which banks are full, and what reads them.
        """
        config = self.config
        bank_words = config.bank_words
        m.submodules.vectors = vectors = block_memory(
            shape=unsigned(ACTIVATION_BITS * config.in_lanes),
            depth=2 * bank_words,
        )
        _vector_read = vectors.read_port()  # whose name the Verilog has
        write = vectors.write_port()
        full = Signal(2)
        bank = Signal()
        lane = Signal(range(config.in_lanes))
        word = Signal(range(bank_words))
        column = Signal.like(shape.columns, name="column")
        kept = [Signal(ACTIVATION_BITS, name=f"element{n}") for n in range(config.in_lanes - 1)]
        last = Signal()
        x = self.i.payload.as_unsigned()

        m.d.comb += self.i.ready.eq((received != 0) & ~full.bit_select(bank, 1))
        m.d.comb += last.eq(column == shape.columns - 1)
        m.d.comb += write.addr.eq(Cat(word, bank))
        lanes = [Mux(lane == n, x, element) for n, element in enumerate(kept)]
        m.d.comb += write.data.eq(Cat(*lanes, x))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [column.eq(column + 1), lane.eq(lane + 1)]
            for n, element in enumerate(kept):
                with m.If(lane == n):
                    m.d.sync += element.eq(x)
            with m.If(last | (lane == config.in_lanes - 1)):
                m.d.comb += write.en.eq(1)
                m.d.sync += [lane.eq(0), word.eq(word + 1)]
            with m.If(last):
                m.d.sync += [column.eq(0), word.eq(0), bank.eq(~bank)]
                m.d.sync += [full.bit_select(bank, 1).eq(1), received.eq(received - 1)]
        return full, _vector_read

    def _weights(self, m: Module) -> ReadPort:
        """Return the port that reads the weights."""
        config = self.config
        if self.weights is not None:
            return self.weights
        m.submodules.weights = memory = block_memory(
            shape=unsigned(config.weight_width),
            depth=config.weight_words,
            init=config.weights,
        )
        return memory.read_port()

    def _partial(self, weights: Value, vector: Value) -> Value:
        """Sum the products of one row's weights with a word of the vector."""
        bits, inputs = self.config.weight_bits, self.config.in_lanes
        w = [weights[n * bits : (n + 1) * bits] for n in range(inputs)]
        x = [vector[n * ACTIVATION_BITS : (n + 1) * ACTIVATION_BITS] for n in range(inputs)]
        if bits == 2:  # 01 is +1, 11 is -1
            kept = [
                (e & t[0].replicate(ACTIVATION_BITS)).as_signed() for e, t in zip(x, w, strict=True)
            ]
            return signed_sum(kept, [t[1] for t in w])
        return adder_tree([e.as_signed() * t.as_signed() for e, t in zip(x, w, strict=True)])

    def _fetched(self, m: Module, word: Value, step: Signal) -> Value:
        """Return a word that has been read: a cycle later, where memories are far and slow."""
        if not self.config.registers:
            return word
        fetched = Signal.like(word, reset_less=True)
        with m.If(step):
            m.d.sync += fetched.eq(word)
        return fetched

    def _multiply(
        self,
        m: Module,
        shape: _Shape,
        vector_read: ReadPort,
        busy: Signal,
        waiting: Signal,
        full: Signal,
    ) -> stream.Interface:
        """Run over the weights of the layer for each vector; return the stream of accumulators."""
        config = self.config
        read = self._weights(m)
        width = config.accumulator_width
        bank = Signal()
        word = Signal.like(shape.words, name="word")
        offset = Signal.like(shape.first_word, name="offset")
        row = Signal.like(shape.rows, name="row")
        left = Signal(range(config.vectors + 1))
        turn = Signal(range(config.interleave))
        last_turn = turn == config.interleave - 1
        step = Signal()
        issue = Signal()
        last_word = Signal()
        last_group = Signal()
        depth = range(1, 3 + config.registers)
        stages = [Signal(3, name=f"stage{n}") for n in depth]  # valid, first, last
        partials = [Signal(signed(width), name=f"partial{n}") for n in range(config.out_lanes)]
        sums = [Signal(signed(width), name=f"sum{n}") for n in range(config.out_lanes)]

        with m.If(self.job.ready & self.job.valid):
            m.d.sync += left.eq(self.job.p.vectors)
        m.d.comb += issue.eq(busy & (left != 0) & full.bit_select(bank, 1))
        m.d.comb += last_word.eq(word == shape.words - 1)
        m.d.comb += last_group.eq(row + config.out_lanes >= shape.rows)
        # Cycle 0: address the weights and the vector.
        m.d.comb += [read.addr.eq(shape.first_word + offset), read.en.eq(step & issue)]
        address = Cat(word[: (config.bank_words - 1).bit_length()], bank)
        m.d.comb += [vector_read.addr.eq(address), vector_read.en.eq(step)]
        with m.If(step & issue):
            m.d.sync += [word.eq(Mux(last_word, 0, word + 1)), offset.eq(offset + 1)]
            with m.If(last_word):
                m.d.sync += row.eq(Mux(last_group, 0, row + config.out_lanes))
            with m.If(last_word & last_group):
                m.d.sync += [offset.eq(Mux(last_turn, 0, offset + 1)), bank.eq(~bank)]
                m.d.sync += [turn.eq(Mux(last_turn, 0, turn + 1)), left.eq(left - 1)]
                m.d.sync += full.bit_select(bank, 1).eq(0)
        weights, vector = (
            self._fetched(m, read.data, step),
            self._fetched(m, vector_read.data, step),
        )
        with m.If(step):
            # Cycle 1, with registers cycle 2: multiply and sum over the word's elements.
            m.d.sync += stages[0].eq(Cat(issue, word == 0, last_word))
            per_row = config.weight_bits * config.in_lanes
            for n, partial in enumerate(partials):
                slice_ = weights[n * per_row : (n + 1) * per_row]
                m.d.sync += partial.eq(self._partial(slice_, vector))
            m.d.sync += [here.eq(before) for before, here in pairwise(stages)]
        # Next cycle: accumulate over the words.
        valid, first, last = stages[-1]
        done = Signal()
        with m.If(step):
            m.d.sync += done.eq(valid & last)
            with m.If(valid):
                for sum_, partial in zip(sums, partials, strict=True):
                    m.d.sync += sum_.eq(Mux(first, 0, sum_) + partial)
        return self._drain(m, shape, sums, done, step, waiting)

    def _drain(
        self,
        m: Module,
        shape: _Shape,
        sums: list[Signal],
        done: Signal,
        step: Signal,
        waiting: Signal,
    ) -> stream.Interface:
        """Take the sums of a group of rows and let them out one by one."""
        config = self.config
        out = stream.Signature(signed(config.accumulator_width)).create(path=("drain",))
        held = [Signal.like(sum_, name=f"held{n}") for n, sum_ in enumerate(sums)]
        left = Signal(range(config.out_lanes + 1))
        rows = Signal.like(shape.rows, name="rows_left")
        count = Signal(range(config.out_lanes + 1))
        free = Signal()

        more = any(config.groups(layer) > 1 for layer in config.layers) and rows > config.out_lanes
        m.d.comb += count.eq(Mux(more, config.out_lanes, rows))
        m.d.comb += free.eq((left == 0) | (left == 1) & out.ready)
        m.d.comb += step.eq(~done | free)
        m.d.comb += [out.valid.eq(left != 0), out.payload.eq(held[0])]
        with m.If(out.valid & out.ready):
            m.d.sync += left.eq(left - 1)
            for here, following in pairwise(held):
                m.d.sync += here.eq(following)
        with m.If(done & free):
            m.d.sync += [left.eq(count), rows.eq(rows - count)]
            m.d.sync += [here.eq(sum_) for here, sum_ in zip(held, sums, strict=True)]
            with m.If(rows == count):
                m.d.sync += [rows.eq(shape.rows), waiting.eq(waiting - 1)]
        with m.If(self.job.ready):  # a layer is known one cycle after its job
            m.d.sync += rows.eq(0)
        with m.Elif((rows == 0) & (waiting != 0)):
            m.d.sync += rows.eq(shape.rows)
        return out

    def _parameters(self) -> list[int]:
        """Return the bias and, if any row is scaled, the multiplier of every row."""
        bias_bits, scales = self.config.bias_width, self.config.scales
        return [
            int(b) & (1 << bias_bits) - 1 | int(s) * scales << bias_bits
            for layer in self.config.layers
            for b, s in zip(layer.bias, layer.multiplier, strict=True)
        ]

    def _finish(self, m: Module, shape: _Shape, drain: stream.Interface, in_flight: Signal) -> None:
        """Add the bias, and requantise the rows that are not wanted raw."""
        config = self.config
        bias_bits = config.bias_width
        m.submodules.parameters = parameters = block_memory(
            shape=unsigned(bias_bits + config.multiplier_width),
            depth=sum(layer.out_features for layer in config.layers),
            init=self._parameters(),
        )
        read = parameters.read_port()
        row = Signal.like(shape.all_rows, name="output_row")
        step = Signal()
        acc = Signal(signed(config.accumulator_width))
        acc_valid = Signal()
        acc_raw = Signal()
        biased = Signal(signed(config.accumulator_width))
        biased_valid = Signal()
        biased_raw = Signal()
        multiplier = Signal(config.multiplier_width)

        scales = self._scale(m, biased, multiplier, biased_valid & ~biased_raw)
        m.d.comb += step.eq(~biased_valid | Mux(biased_raw, self.raw.ready, scales))
        m.d.comb += drain.ready.eq(step)
        m.d.comb += [read.addr.eq(shape.first_row + row), read.en.eq(step)]
        with m.If(step):
            # Look up bias and multiplier. Next cycle: add the bias.
            m.d.sync += [acc.eq(drain.payload), acc_valid.eq(drain.valid)]
            m.d.sync += acc_raw.eq(row < shape.raw_rows if config.scales else 1)
            m.d.sync += biased.eq(acc + read.data[:bias_bits].as_signed())
            m.d.sync += multiplier.eq(read.data[bias_bits:])
            m.d.sync += [biased_valid.eq(acc_valid), biased_raw.eq(acc_raw)]
        with m.If(drain.valid & drain.ready):
            m.d.sync += row.eq(Mux(row == shape.all_rows - 1, 0, row + 1))
        m.d.comb += [self.raw.payload.eq(biased), self.raw.valid.eq(biased_valid & biased_raw)]
        entered = drain.valid & drain.ready
        left = self.raw.valid & self.raw.ready | self.scaled.valid & self.scaled.ready
        both = self.raw.valid & self.raw.ready & self.scaled.valid & self.scaled.ready
        m.d.sync += in_flight.eq(in_flight + entered - left - both)

    def _scale(self, m: Module, acc: Signal, multiplier: Signal, valid: Value) -> Value:
        """Requantise outputs unless they are raw; return whether the output is accepted."""
        if not self.config.scales:
            return Const(1)
        m.submodules.requantize = requantize = self.requantize
        m.d.comb += requantize.i.valid.eq(valid)
        m.d.comb += [requantize.i.p.acc.eq(acc), requantize.i.p.multiplier.eq(multiplier)]
        m.d.comb += self.scaled.payload.eq(requantize.o.payload)
        m.d.comb += self.scaled.valid.eq(requantize.o.valid)
        m.d.comb += requantize.o.ready.eq(self.scaled.ready)
        return requantize.i.ready
