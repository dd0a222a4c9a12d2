"""The logic of the weightless classifier, evaluated as a graph: every input of small circuits."""

import itertools
import random

import numpy as np
import pytest

from lutformer.hdl.classifier.class_tree import largest
from lutformer.hdl.luts.comparators import above
from lutformer.hdl.luts.decomposition import decompose
from lutformer.hdl.luts.graph import ONE, ZERO, LutGraph
from lutformer.hdl.luts.popcounts import count_ones
from lutformer.hdl.luts.schedule import registers, schedule

WIDE = (0, 1, 1, 1, 1, 2, 4)


def every_input(count):
    return np.array(list(itertools.product((False, True), repeat=count)))[:, ::-1]


def numbers(bits):
    return bits.astype(np.int64) @ (1 << np.arange(bits.shape[1]))


def test_constants_inverters_and_equal_tables_vanish():
    graph = LutGraph()
    a, b = graph.input(), graph.input()
    assert graph.apply(lambda x, y: x & y, a, ZERO) == ZERO
    assert graph.apply(lambda x, y: x | y, a, ONE) == ONE
    assert graph.apply(lambda x, y: x & y, a, a) == a
    inverted = graph.apply(lambda x: 1 - x, a)
    assert graph.apply(lambda x: 1 - x, inverted) == a
    both = graph.apply(lambda x, y: x & y, b, inverted)
    assert both == graph.apply(lambda x, y: y & (1 - x), a, b)
    assert graph.luts == 2


def test_wider_table_than_the_fabric_is_refused():
    graph = LutGraph()
    with pytest.raises(ValueError, match=r"^A table has at most 4 inputs, not 5$"):
        graph.apply(lambda *bits: sum(bits) & 1, *(graph.input() for _ in range(5)))


def test_absorbed_tables_leave_an_equal_graph():
    rng = random.Random(1)
    for _ in range(30):
        graph = LutGraph()
        nodes = [graph.input() for _ in range(6)]
        for _ in range(40):
            size = rng.randint(1, 4)
            nodes.append(graph.lut(rng.choices(nodes, k=size), rng.getrandbits(1 << size)))
        roots = nodes[-5:]
        smaller, places = graph.reduced(roots)
        assert smaller.luts <= graph.luts
        inputs = every_input(6)
        assert (smaller.evaluate(inputs, places) == graph.evaluate(inputs, roots)).all()


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10])
def test_comparisons(bits, signed):
    rng = random.Random(bits)
    low = -(1 << bits - 1) if signed else 0
    inputs = every_input(bits)
    words = numbers(inputs)
    words = np.where(words >= low + (1 << bits), words - (1 << bits), words)
    possible = range(low, low + (1 << bits) - 1)
    for _ in range(12):
        thresholds = sorted(rng.sample(possible, min(len(possible), rng.randint(1, 5))))
        graph = LutGraph()
        nodes = above(graph, [graph.input() for _ in range(bits)], thresholds, signed=signed)
        found = graph.evaluate(inputs, nodes)
        assert (found == (words[:, None] > np.array(thresholds))).all(), thresholds


def test_comparison_of_four_bits_is_one_table():
    graph = LutGraph()
    word = [graph.input() for _ in range(4)]
    above(graph, word, list(range(15)), signed=False)
    assert graph.luts == 14  # above 7 is the top bit


@pytest.mark.parametrize("constant", [0, 1, 6])
@pytest.mark.parametrize("bits", range(14))
def test_counts(bits, constant):
    graph = LutGraph()
    digits = count_ones(graph, [graph.input() for _ in range(bits)], constant)
    inputs = every_input(bits)
    assert len(digits) == (bits + constant).bit_length()
    if digits:
        found = numbers(graph.evaluate(inputs, digits))
        assert (found == inputs.sum(1) + constant).all()


@pytest.mark.parametrize("repeats", [1, 2, 3])
def test_counts_of_tables_in_pairs_and_of_repeated_bits(repeats):
    rng = random.Random(repeats)
    inputs = every_input(8)
    for count in range(1, 30):
        graph = LutGraph()
        words = [graph.input() for _ in range(8)]
        bits = [graph.lut(rng.sample(words, 2), rng.getrandbits(4)) for _ in range(count)]
        bits = [bit for bit in bits if bit > ONE] * repeats
        digits = count_ones(graph, bits, shared=frozenset(bits[:3]))
        expected = graph.evaluate(inputs, bits).sum(1) if bits else 0
        if digits:
            assert (numbers(graph.evaluate(inputs, digits)) == expected).all()


def test_three_tables_for_two_full_adders_of_pairs():
    graph = LutGraph()
    words = [graph.input() for _ in range(16)]
    pairs = zip(words[::2], words[1::2], strict=True)
    tables = [graph.apply(lambda a, b: a & b, *pair) for pair in pairs]
    digits = count_ones(graph, tables)
    smaller, _ = graph.reduced(digits)
    assert smaller.luts == 16  # 8 tables and 7 adders of two tables each would be 22


@pytest.mark.parametrize(("classes", "width"), [(2, 1), (2, 3), (3, 2), (4, 2), (5, 2)])
def test_class_of_the_largest_count(classes, width):
    graph = LutGraph()
    counts = [[graph.input() for _ in range(width)] for _ in range(classes)]
    inputs = every_input(classes * width)
    digits = largest(graph, counts)
    values = np.stack([numbers(part) for part in np.split(inputs, classes, axis=1)], axis=1)
    assert len(digits) == (classes - 1).bit_length()
    assert (numbers(graph.evaluate(inputs, digits)) == values.argmax(1)).all()


@pytest.mark.parametrize("widths", [(0, 1, 1, 1, 1), WIDE])
@pytest.mark.parametrize("inputs", range(1, 7))
def test_decompositions(inputs, widths):
    rng = random.Random(inputs)
    values = every_input(inputs)
    for share in (0.0, 0.3, 0.7, 0.95):
        for _ in range(10):
            table = rng.getrandbits(1 << inputs)
            cares = [rng.random() >= share for _ in range(1 << inputs)]
            mask = sum(care << a for a, care in enumerate(cares))
            graph = LutGraph(len(widths) - 1)
            nodes = [graph.input() for _ in range(inputs)]
            for sources, entries in decompose(inputs, table & mask, ~table & mask, widths):
                nodes.append(graph.lut([nodes[n] for n in sources], entries))
            found = graph.evaluate(values, nodes[-1:])[:, 0]
            expected = np.array([table >> a & 1 for a in range(1 << inputs)], bool)
            assert (found == expected)[np.array(cares)].all()
            assert graph.luts <= (0, 1, 1, 1, 1, 3, 6)[inputs]


def test_order_of_two_bits_saves_a_table():
    """A table of six inputs of which one implies another needs no fourth quarter."""
    rng = random.Random(3)
    for _ in range(20):
        table = rng.getrandbits(64)
        reach = sum(1 << a for a in range(64) if not (a & 1 and not a & 2))
        assert len(decompose(6, table & reach, ~table & reach)) <= 5


@pytest.mark.parametrize("stages", [0, 1, 2, 5, 9])
def test_schedule_keeps_the_order_and_the_rows(stages):
    rng = random.Random(stages)
    graph = LutGraph()
    nodes = [graph.input() for _ in range(8)]
    for _ in range(120):
        nodes.append(graph.lut(rng.sample(nodes[-20:], 3), rng.getrandbits(8)))
    roots = nodes[-6:]
    stage = schedule(graph, roots, stages)
    depth = max(graph.levels[root] for root in roots)
    rows = -(-depth // max(stages, 1))
    row = [0] * len(stage)
    for node, sources in enumerate(graph.sources):
        for source in sources:
            assert stage[source] <= stage[node]
            if stage[source] == stage[node]:
                row[node] = max(row[node], row[source])
        row[node] += bool(sources)
    assert max(row) <= rows
    assert max(stage) < max(stages, 1)
    plain = [max(level - 1, 0) // max(rows, 1) for level in graph.levels]
    assert registers(graph, roots, stages, stage) <= registers(graph, roots, stages, plain)
