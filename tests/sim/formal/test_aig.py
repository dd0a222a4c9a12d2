"""The graph of ANDs against truth tables, and its verdicts against enumeration."""

from itertools import product

import numpy as np
import pytest

from lutformer.sim.formal.aig import FALSE, TRUE, Aig
from lutformer.sim.formal.prover import prove

CASES = list(product([False, True], repeat=3))


@pytest.mark.parametrize(
    ("build", "function"),
    [
        (lambda g, a, b, c: g.and_(a, b), lambda a, b, c: a and b),
        (lambda g, a, b, c: g.or_(a, b), lambda a, b, c: a or b),
        (lambda g, a, b, c: g.xor(a, b ^ 1), lambda a, b, c: a == b),
        (lambda g, a, b, c: g.mux(a, b, c), lambda a, b, c: b if c else a),
        (lambda g, a, b, c: g.all([a, b, c]), lambda a, b, c: a and b and c),
        (lambda g, a, b, c: g.any([a, b ^ 1, c]), lambda a, b, c: a or not b or c),
        (lambda g, a, b, c: g.and_(a, a ^ 1), lambda a, b, c: False),
        (lambda g, a, b, c: g.and_(TRUE, c), lambda a, b, c: c),
        (lambda g, a, b, c: g.or_(FALSE, FALSE), lambda a, b, c: False),
    ],
)
def test_operations(build, function):
    aig = Aig()
    literal = build(aig, *map(aig.input, "abc"))
    for values in CASES:
        (found,) = aig.evaluate(dict(zip("abc", values, strict=True)), [literal])
        assert found == function(*values), values


def random_function(aig, inputs, rng):
    literals = list(inputs)
    for _ in range(12):
        a, b = rng.choice(literals, 2)
        literals.append(aig.and_(int(a) ^ rng.integers(2), int(b) ^ rng.integers(2)))
    return int(literals[-1]) ^ int(rng.integers(2))


def test_verdicts_are_those_of_enumeration(tmp_path):
    rng = np.random.default_rng(0)
    equal = 0
    for _ in range(30):
        aig = Aig()
        inputs = [aig.input(name) for name in "abc"]
        pairs = [(random_function(aig, inputs, rng), random_function(aig, inputs, rng))]
        flat = [aig.evaluate(dict(zip("abc", case, strict=True)), pairs[0]) for case in CASES]
        truth = all(a == b for a, b in flat)
        found = prove(aig, pairs, tmp_path)
        assert (found is None) == truth
        equal += truth
        if found is not None:
            assert tuple(aig.evaluate(found.inputs, pairs[0])) == found.values
    assert 0 < equal < 30


def test_a_difference_at_one_input_of_many(tmp_path):
    """Random inputs would find it once in 2**64."""
    aig = Aig()
    word = [aig.input(f"i[{n}]") for n in range(64)]
    rare = aig.all(bit ^ (n & 1) for n, bit in enumerate(word))
    plain = aig.xor(word[3], word[5])
    found = prove(aig, [(plain, plain), (plain, aig.xor(plain, rare))], tmp_path)
    assert found is not None
    assert found.pair == 1
    assert [found.inputs[f"i[{n}]"] for n in range(64)] == [n % 2 == 0 for n in range(64)]
