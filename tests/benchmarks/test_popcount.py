"""The ways to count bits that the benchmark compares all count bits."""

import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from benchmarks.popcount import FAMILIES, WAYS, measure


def words(bits: int) -> list[int]:
    """Every word of up to ten bits; of wider ones the corners and some at random."""
    if bits <= 10:
        return list(range(1 << bits))
    rng = random.Random(bits)
    low = [(1 << n) - 1 for n in range(bits + 1)]
    one = [1 << n for n in range(bits)]
    return low + one + [low[-1] ^ w for w in low + one] + [rng.getrandbits(bits) for _ in range(99)]


@pytest.mark.parametrize("bits", [*range(1, 11), 16, 32, 63, 64, 128])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_counts(way, bits):
    m, word, count = Module(), Signal(bits), Signal(bits.bit_length() + 1)
    m.d.comb += count.eq(WAYS[way](word))

    async def bench(context):
        for value in words(bits):
            context.set(word, value)
            assert context.get(count) == value.bit_count(), f"{value:#x}"

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_is_of_the_circuit(family):
    row = measure(family, 5, "tree of hdl/lib/arithmetic.py")
    assert row.ff == 5 + 3
    assert row.cells >= row.lut4 >= 3
    assert row.fmax_mhz > 10
