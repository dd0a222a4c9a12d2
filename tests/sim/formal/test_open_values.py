"""Where functions of unknown bits are open, against what a simulator of Verilog makes of them."""

from itertools import product

import numpy as np

from lutformer.sim.formal.aig import Aig
from lutformer.sim.formal.open_values import open_values

X = 2


def and_(a, b):
    if 0 in (a, b):
        return 0
    return X if X in (a, b) else 1


def test_three_values():
    rng = np.random.default_rng(3)
    for _ in range(40):
        aig = Aig()
        names = {aig.input(name): name for name in ("a", "b", "x")}
        gates = []
        literals = list(names)
        for _ in range(8):
            pair = [int(rng.choice(literals)) ^ int(rng.integers(2)) for _ in range(2)]
            gates.append((aig.and_(*pair), pair))
            literals.append(gates[-1][0])
        wanted = [literal ^ 1 for literal in literals]
        found = open_values(aig, wanted, aig.input("x"))
        for a, b in product((0, 1), repeat=2):
            values = {0: 0} | {literal: {"a": a, "b": b, "x": X}[n] for literal, n in names.items()}

            def value(literal, values=values):
                plain = values[literal & ~1]
                return plain if plain == X else plain ^ literal & 1

            for literal, pair in gates:
                if literal & 1 == 0 and literal not in values:
                    values[literal] = and_(*map(value, pair))
            flat = [literal for rails in found for literal in rails]
            bits = aig.evaluate({"a": bool(a), "b": bool(b)}, flat)
            for n, literal in enumerate(wanted):
                is_open, is_one = bits[2 * n : 2 * n + 2]
                assert is_open == (value(literal) == X)
                assert is_open or is_one == value(literal)
