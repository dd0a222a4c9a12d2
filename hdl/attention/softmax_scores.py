"""Exponentials of scaled scalar products of queries and keys, in hardware."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import ACTIVATION_BITS
from ..lib.arithmetic import adder_tree, multiple, multiply_signed, select
from ..lib.memory import block_memory
from ..lib.requantize import Requantize
from ..lib.row_counter import row_counter
from .softmax_config import SoftmaxAttentionConfig

__all__ = ["SoftmaxScores"]


class SoftmaxScores(wiring.Component):
    """Multiply each query with each key, and look up how far each score is below the largest.

    Computes docs/math.md, Eq. 22 and 23. ``columns`` elements are multiplied a cycle. The scores of
    a query and head gather in one bank of a buffer; from the other, exponentials are given out.

    A query and head with k keys (n, or in a causal layer the query's number plus 1) take
    ``key_groups * k`` cycles. From the job to the first exponential takes :attr:`latency` cycles.

    Parameters
    ----------
    config : SoftmaxAttentionConfig

    Members
    -------
    job : In(stream.Signature(range(len(config.layers) + 1)))
        Layer whose scale and table are used; all queries and keys have been stored before.
    layer : In(range(len(config.layers) + 1))
    before : In(range(config.max_keys))
        Only with contexts of many jobs: the layer, and tokens of the context before the job's; both
        steady from its first element until it is taken, the second to its last exponential.
    vectors : In(stream.Signature(signed(8)))
        Of each token: the elements of each head's query, then of each head's key.
    o : Out(stream.Signature(config.weight_width))
        Of each query, of each head: the exponential of each key.
    """

    job: stream.Interface
    layer: Signal
    before: Signal
    vectors: stream.Interface
    o: stream.Interface

    def __init__(self, config: SoftmaxAttentionConfig) -> None:
        self.config = config
        self._layer = Signal(range(len(config.layers) + 1), name="layer_at_hand")
        shifts = {layer.shift for layer in config.layers}
        self.requantize = Requantize(
            acc_width=config.product_width,
            multiplier_width=config.multiplier_width,
            shift=max(shifts),
            bits=ACTIVATION_BITS,
            variable=len(shifts) > 1,
            reach=config.score_width,
            dsp=config.dsp_scale,
            two_cycle_multiply=config.narrow_scores,
            registers=config.registers,
        )
        super().__init__(
            {
                "job": In(stream.Signature(range(len(config.layers) + 1))),
                "layer": In(range(len(config.layers) + 1)),
                "before": In(range(config.max_keys)),
                "vectors": In(stream.Signature(signed(ACTIVATION_BITS))),
                "o": Out(stream.Signature(config.weight_width)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the job to the first exponential."""
        config, scale = self.config, self.requantize
        products = config.key_groups * (1 if config.causal else config.tokens)
        hold = 2 * (scale.interval - 1)
        return products + 7 + config.registers + hold + scale.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.requantize = self.requantize
        self._store(m)
        step = Signal()
        stage = self._sweep(m, step)
        self._multiply(m, stage, step)
        full, tops = self._gather(m)
        self._look_up(m, full, tops)
        return m

    def _store(self, m: Module) -> None:
        """Keep queries and keys as they come: word ``(t * heads + h) * key_groups + g`` of each."""
        config = self.config
        token = config.heads * config.key_groups  # words of it
        depth = config.tokens * token
        shape = unsigned(ACTIVATION_BITS * config.key_columns)
        depths = (depth, config.banks * config.max_keys * token)
        memories = [block_memory(shape=shape, depth=n) for n in depths]
        m.submodules.queries, m.submodules.keys = memories
        self._query_read, self._key_read = (memory.read_port() for memory in memories)
        kept = [Signal(ACTIVATION_BITS, name=f"element{n}") for n in range(config.key_columns - 1)]
        lane = Signal(range(config.key_columns))
        column = Signal(range(config.key_width))
        head = Signal(range(config.heads))
        of_key = Signal()
        end = Signal()
        write_word = Signal()
        x = self.vectors.payload.as_unsigned()

        m.d.comb += [self.vectors.ready.eq(1), end.eq(column == config.key_width - 1)]
        m.d.comb += write_word.eq(self.vectors.valid & (end | (lane == config.key_columns - 1)))
        # Lanes behind the last element of a head hold 0, so that they add nothing.
        word = Cat(*[Mux(lane == n, x, old) for n, old in enumerate([*kept, Const(0, 8)])])
        for n, memory in enumerate(memories):
            write = memory.write_port()
            m.d.comb += [write.data.eq(word), write.en.eq(write_word & (of_key == n))]
            at = Signal(range(max(depth, 2)), name=f"write{n}_at")
            behind = config.context > 0 and memory is memories[1]
            m.d.comb += write.addr.eq(at + (self._first(token) if behind else 0))
            with m.If(write.en):
                m.d.sync += at.eq(Mux(at == depth - 1, 0, at + 1))
        with m.If(self.vectors.valid):
            m.d.sync += [column.eq(Mux(end, 0, column + 1)), lane.eq(lane + 1)]
            for n, element in enumerate(kept):
                with m.If(lane == n):
                    m.d.sync += element.eq(x)
            with m.If(end):
                last = head == config.heads - 1
                m.d.sync += [head.eq(Mux(last, 0, head + 1)), of_key.eq(of_key ^ last)]
        with m.If(write_word):
            m.d.sync += [lane.eq(0), *[element.eq(0) for element in kept]]

    def _first(self, token: int) -> Value:
        """Return where the words of the job's key go, ``token`` of them each."""
        places = [n for n in range(token.bit_length()) if token >> n & 1]
        before = adder_tree([self.before << n for n in places])
        return multiple(self.layer, self.config.max_keys * token, self.config.banks) + before

    def _sweep(self, m: Module, step: Signal) -> Signal:
        """Read each query with each key of its head; return the reads' valid, first and last."""
        config, groups = self.config, self.config.key_groups
        m.submodules.sweep_rows = rows = row_counter(m, self.config, self.before)
        read_query, read_key = self._query_read, self._key_read
        busy = Signal()
        group = Signal(range(groups))
        head_at = Signal(range(config.heads * groups + 1))  # first word of the head's keys
        next_head_at = Signal.like(head_at)
        key_at = Signal(range(config.max_keys * config.heads * groups + 1))
        first = Signal(range(config.banks * config.max_keys * config.heads * groups))
        stage = Signal(3)
        last = group == groups - 1

        m.d.comb += self.job.ready.eq(~busy)
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [busy.eq(1), self._layer.eq(self.job.payload)]
            if config.context:
                m.d.sync += first.eq(
                    multiple(self.layer, config.max_keys * config.heads * groups, config.banks)
                )
        m.d.comb += [read_query.en.eq(step), read_key.en.eq(step)]
        m.d.comb += read_key.addr.eq(first + key_at)
        m.d.comb += rows.advance.eq(step & busy & last)
        m.d.comb += next_head_at.eq(Mux(rows.query_end, 0, head_at + groups))
        with m.If(step):
            m.d.sync += stage.eq(Cat(busy, group == 0, last))
        with m.If(step & busy):
            m.d.sync += [group.eq(group + 1), read_query.addr.eq(read_query.addr + 1)]
            m.d.sync += key_at.eq(key_at + 1)
        with m.If(rows.advance):
            m.d.sync += [group.eq(0), read_query.addr.eq(read_query.addr - (groups - 1))]
            m.d.sync += key_at.eq(key_at + (config.heads - 1) * groups + 1)
            with m.If(rows.row_end):
                m.d.sync += [head_at.eq(next_head_at), key_at.eq(next_head_at)]
                m.d.sync += read_query.addr.eq(Mux(rows.end, 0, read_query.addr + 1))
        with m.If(rows.advance & rows.end):
            m.d.sync += busy.eq(0)
        return stage

    def _multiply(self, m: Module, stage: Signal, step: Signal) -> None:
        """Sum the products of the words that were read, and scale the sum."""
        config = self.config
        words = self._query_read.data, self._key_read.data
        products: list[Value] = []
        for n in range(config.key_columns):
            q, k = (word.word_select(n, ACTIVATION_BITS).as_signed() for word in words)
            products.append(multiply_signed(q, k, dsp=config.dsp_scores))
        width = 2 * ACTIVATION_BITS
        if config.registers:  # Cycle 1: multiply.
            registers = [Signal(signed(width), name=f"product{n}") for n in range(len(products))]
            later = Signal.like(stage, name="stage_of_products")
            with m.If(step):
                m.d.sync += [r.eq(product) for r, product in zip(registers, products, strict=True)]
                m.d.sync += later.eq(stage)
            stage, products = later, list(registers)
        partial = Signal(signed(config.product_width))
        valid, first, last = of_partial = Signal(3)
        total = Signal(signed(config.product_width))
        done = Signal()
        m.d.comb += step.eq(~done | self._scale(m, total, done))
        with m.If(step):
            # Cycle 2 (1 without registers): add the products of a word.
            m.d.sync += [of_partial.eq(stage), partial.eq(adder_tree(products))]
            # Cycle 3 (2): accumulate over the words.
            m.d.sync += done.eq(valid & last)
            with m.If(valid):
                m.d.sync += total.eq(Mux(first, 0, total) + partial)

    def _scale(self, m: Module, total: Signal, done: Signal) -> Value:
        """Hand complete sums on to be scaled; return when they are taken."""
        layers, scale = self.config.layers, self.requantize.i
        m.d.comb += scale.p.multiplier.eq(self._of_layer([n.multiplier for n in layers]))
        if self.requantize.variable:
            m.d.comb += scale.p.shift.eq(self._of_layer([n.shift for n in layers]))
        if self.requantize.interval == 1:
            m.d.comb += [scale.valid.eq(done), scale.p.acc.eq(total)]
            return scale.ready
        # Two cycles long the sum must not change, in which the next one begins.
        free = scale.ready | ~scale.valid
        with m.If(free):
            m.d.sync += [scale.valid.eq(done), scale.p.acc.eq(total)]
        return free

    def _of_layer(self, constants: list[int]) -> Value:
        return select([Const(n, max(constants).bit_length()) for n in constants], self._layer)

    def _gather(self, m: Module) -> tuple[Signal, list[Signal]]:
        """Collect the scores of a row; return which banks are full, and the maximum of each."""
        config, score = self.config, self.requantize.o
        key_bits = (config.max_keys - 1).bit_length()
        m.submodules.scores = memory = block_memory(
            shape=signed(ACTIVATION_BITS), depth=2 << key_bits
        )
        m.submodules.gather_rows = rows = row_counter(m, self.config, self.before)
        self._score_read, write = memory.read_port(), memory.write_port()
        bank = Signal()
        full = Signal(2)
        tops = [Signal(signed(ACTIVATION_BITS), name=f"top{n}") for n in range(2)]

        m.d.comb += score.ready.eq(~full.bit_select(bank, 1))
        m.d.comb += [rows.advance.eq(score.valid & score.ready), write.en.eq(rows.advance)]
        m.d.comb += [write.addr.eq(Cat(rows.key[:key_bits], bank)), write.data.eq(score.payload)]
        for n, top in enumerate(tops):
            higher = (rows.key == 0) | (score.payload > top)
            with m.If(rows.advance & (bank == n) & higher):
                m.d.sync += top.eq(score.payload)
        with m.If(rows.advance & rows.row_end):
            m.d.sync += [bank.eq(~bank), full.bit_select(bank, 1).eq(1)]
        return full, tops

    def _look_up(self, m: Module, full: Signal, tops: list[Signal]) -> None:
        """Give out the exponentials of a row whose scores are complete."""
        config = self.config
        m.submodules.table = table = block_memory(
            shape=unsigned(config.weight_width),
            depth=sum(len(layer.table) for layer in config.layers),
            init=[int(e) for layer in config.layers for e in layer.table],
        )
        m.submodules.give_rows = rows = row_counter(m, self.config, self.before)
        read, look_up = self._score_read, table.read_port()
        bank = Signal()
        step = Signal()
        issue = Signal()
        valid = Signal(2)
        top = Signal(signed(ACTIVATION_BITS))
        below = Signal(ACTIVATION_BITS)

        m.d.comb += [step.eq(self.o.ready | ~self.o.valid), issue.eq(full.bit_select(bank, 1))]
        # Cycle 0: read a score, and the largest before its register serves the next row.
        m.d.comb += read.addr.eq(Cat(rows.key[: (config.max_keys - 1).bit_length()], bank))
        m.d.comb += [read.en.eq(step), rows.advance.eq(step & issue)]
        with m.If(rows.advance & rows.row_end):
            m.d.sync += [bank.eq(~bank), full.bit_select(bank, 1).eq(0)]
        with m.If(step):
            m.d.sync += top.eq(select(tops, bank))
            # Cycle 1: how far it is below. Cycle 2: look up.
            m.d.sync += below.eq(top - read.data)
            m.d.sync += [valid.eq(Cat(issue, valid)), self.o.valid.eq(valid[1])]
        m.d.comb += [look_up.addr.eq(Cat(below, self._layer)), look_up.en.eq(step)]
        m.d.comb += self.o.payload.eq(look_up.data)
