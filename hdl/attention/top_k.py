"""Selection of the nearest keys, in hardware."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..lib.arithmetic import adder_tree
from ..lib.memory import block_memory
from ..lib.row_counter import RowCounter, row_counter
from .hamming_config import HammingAttentionConfig

__all__ = ["TopK"]


class TopK(wiring.Component):
    """Mark the ``top_k`` nearest keys of each row, the first of equals.

    Computes the selection of docs/math.md, Eq. 12. A row is stored while counters, one for each
    distance, count the keys that are no farther; at its end they tell the distance at which enough
    keys are found, and how many keys of this very distance are among them. Meanwhile the row before
    goes out.

    A row takes a cycle for each key; from a row's last key to its first one out takes
    :attr:`latency` cycles.

    Parameters
    ----------
    config : HammingAttentionConfig

    Members
    -------
    before : In(range(config.max_keys))
        Only with contexts of many jobs: tokens of the context before the job's; steady during it.
    i : In(stream.Signature(range(T + 1)))
        Of each query, of each head: the distance of each key.
    o : Out(stream.Signature(StructLayout(distance, keep)))
    """

    latency = 4

    before: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, config: HammingAttentionConfig) -> None:
        self.config = config
        self.distance = range(config.code_bits + 1)
        self.layout = data.StructLayout({"distance": self.distance, "keep": 1})
        super().__init__(
            {
                "before": In(range(config.max_keys)),
                "i": In(stream.Signature(self.distance)),
                "o": Out(stream.Signature(self.layout)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, key_bits = self.config, (self.config.max_keys - 1).bit_length()
        width = config.code_bits.bit_length()
        m.submodules.rows = memory = block_memory(shape=unsigned(width), depth=2 << key_bits)
        write, read = memory.write_port(), memory.read_port()
        m.submodules.stored = stored = row_counter(m, self.config, self.before)
        m.submodules.given = given = row_counter(m, self.config, self.before)
        full = Signal(2)
        bank, out_bank = Signal(), Signal()
        counted = Signal()  # the counters hold a whole row, that of the other bank
        issue, step, valid = Signal(), Signal(), Signal()
        limits = self._count(m, stored, counted, bank)

        m.d.comb += self.i.ready.eq(~full.bit_select(bank, 1))
        m.d.comb += [stored.advance.eq(self.i.valid & self.i.ready), write.en.eq(stored.advance)]
        m.d.comb += [write.addr.eq(Cat(stored.key[:key_bits], bank)), write.data.eq(self.i.payload)]
        m.d.sync += counted.eq(stored.advance & stored.row_end)
        with m.If(stored.advance & stored.row_end):
            m.d.sync += bank.eq(~bank)
        with m.If(given.advance & given.row_end):
            m.d.sync += [out_bank.eq(~out_bank), full.bit_select(out_bank, 1).eq(0)]
        with m.If(counted):
            m.d.sync += full.bit_select(~bank, 1).eq(1)
        # Cycle 0: read. Cycle 1: mark.
        m.d.comb += [step.eq(self.o.ready | ~self.o.valid), issue.eq(full.bit_select(out_bank, 1))]
        m.d.comb += [given.advance.eq(issue & step), read.en.eq(step)]
        m.d.comb += read.addr.eq(Cat(given.key[:key_bits], out_bank))
        with m.If(step):
            m.d.sync += [valid.eq(issue), self.o.valid.eq(valid)]
        self._mark(m, read.data, limits, given, out_bank, step & valid)
        return m

    def _count(
        self, m: Module, rows: RowCounter, counted: Signal, bank: Signal
    ) -> tuple[list[Signal], list[Signal]]:
        """Count the keys within each distance; return limit and quota of either bank's row."""
        keep = self.config.top_k
        within = [Signal(range(keep + 1), name=f"within{n}") for n in self.distance]
        limits = [Signal(range(len(within) + 1), name=f"limit{n}") for n in range(2)]
        quotas = [Signal(range(keep + 1), name=f"quota{n}") for n in range(2)]
        with m.If(rows.advance):
            for n, count in enumerate(within):
                before = Mux(rows.key == 0, 0, count)
                more = (self.i.payload <= n) & (before != keep)
                m.d.sync += count.eq(before + more)
        short = Cat(count != keep for count in within)  # a run of ones from the bottom
        quota = Signal(range(keep + 1))
        m.d.comb += quota.eq(keep)
        for n in range(len(within) - 1):
            with m.If(short[n] & ~short[n + 1]):
                m.d.comb += quota.eq(keep - within[n])
        for n, (limit, of_limit) in enumerate(zip(limits, quotas, strict=True)):
            with m.If(counted & (bank != n)):
                m.d.sync += [limit.eq(adder_tree(list(short))), of_limit.eq(quota)]
        return limits, quotas

    def _mark(
        self,
        m: Module,
        distance: Signal,
        limits: tuple[list[Signal], list[Signal]],
        rows: RowCounter,
        bank: Signal,
        move: Value,
    ) -> None:
        """Decide on the key that has been read."""
        limit, quota = Signal.like(limits[0][0]), Signal.like(limits[1][0])
        equal = Signal()
        with m.If(rows.advance & (rows.key == 0)):
            m.d.sync += limit.eq(Mux(bank, limits[0][1], limits[0][0]))
        m.d.comb += equal.eq((distance == limit) & (quota != 0))
        with m.If(move):
            m.d.sync += self.o.p.distance.eq(distance)
            m.d.sync += self.o.p.keep.eq((distance < limit) | equal)
            with m.If(equal):
                m.d.sync += quota.eq(quota - 1)
        with m.If(rows.advance & (rows.key == 0)):
            m.d.sync += quota.eq(Mux(bank, limits[1][1], limits[1][0]))
