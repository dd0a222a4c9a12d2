"""Which registers of two circuits hold the same.

What is found here is a guess, which a proof of everything then confirms or refutes.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .aig import FALSE, Aig, Literal
from .correspondence import Held, Pairs, cut_apart, join, named_states
from .gates import Bit
from .machine import Machine, Register
from .prover import prove

__all__ = ["pair_registers"]

PATTERNS = 2048
QUIET = 6  # rounds without news that end a search at random
CONSTANT = 0  # class of what never changes

Member = tuple[Machine, Register]


def pair_registers(
    verilog: Mapping[str, Any], netlist: Mapping[str, Any], boxes: Pairs, directory: Path
) -> list[Held]:
    """Relate registers of the first module to the second.

    They belong together if they have a name in common; of the others, those that do the same, or
    the opposite, in every step from every state in which all that belong together do; several that
    do the same all belong together. Registers of which nothing is known are left out.
    """
    aig = Aig()
    left, right = Machine(verilog, aig), Machine(netlist, aig)
    states = named_states(left, right)
    here = {held.register.q for held in states}
    join(left, right, boxes, states)
    cut_apart(left, "left")
    cut_apart(right, "right")
    rest = [(left, register) for register in left.registers if register.q not in here]
    return states + _alike(
        aig, rest, [(right, register) for register in right.registers], directory
    )


def _alike(
    aig: Aig, rest: Sequence[Member], others: Sequence[Member], directory: Path
) -> list[Held]:
    if not rest:
        return []
    classes = _Classes(aig, [*rest, *others]).settle(directory)
    there: dict[int, list[tuple[Bit, bool]]] = {CONSTANT: [("0", False)]}
    for (_, register), kind in zip(others, classes[len(rest) :], strict=True):
        there.setdefault(kind, []).append((register.q, register.init == "1"))
    found = []
    for (_, register), kind in zip(rest, classes, strict=False):
        for net, set_ in there.get(kind, []):
            inverted = set_ != (register.init == "1")
            found.append(Held(register=register, net=net, inverted=inverted, guess=True))
    return found


class _Classes:
    """Registers that may hold the same; values count from the initial one, the constant's is 0.

    All start in one class. Whatever takes another value than the rest of its class, in a step from
    a state in which each class agrees, does not belong to it. Such states are drawn at random, then
    sought by the prover, for some events are rare.
    """

    def __init__(self, aig: Aig, members: Sequence[Member]) -> None:
        self.aig, self.rng, self.ones = aig, random.Random(0), (1 << PATTERNS) - 1
        self.set_ = [register.init == "1" for _, register in members]
        self.literals = [machine.function(register.q) for machine, register in members]
        self.nexts = [machine.function(register.d) for machine, register in members]
        self.cone = aig.cone(self.nexts)
        self.classes = [CONSTANT] * len(members)

    def settle(self, directory: Path) -> list[int]:
        """Return each register's class."""
        quiet = 0
        while quiet < QUIET:
            quiet = 0 if self._split(self._anything()) else quiet + 1
        while (inputs := self._refutation(directory)) is not None:
            self._split(self._near(inputs))
        return self.classes

    def _anything(self) -> dict[Literal, int]:
        return {literal: self.rng.getrandbits(PATTERNS) for literal in self.aig.inputs.values()}

    def _near(self, inputs: Mapping[str, bool]) -> dict[Literal, int]:
        """Return inputs, and others that differ from them here and there."""
        changed = {}
        for name, literal in self.aig.inputs.items():
            few = self.ones - 1
            for _ in range(5):
                few &= self.rng.getrandbits(PATTERNS)
            changed[literal] = few ^ self.ones * inputs[name]
        return changed

    def _split(self, inputs: dict[Literal, int]) -> bool:
        """Split classes by a step from states in which each agrees; return whether any was."""
        values = {CONSTANT: 0}
        for literal, kind, set_ in zip(self.literals, self.classes, self.set_, strict=True):
            value = values.setdefault(kind, inputs[literal] ^ self.ones * set_)
            inputs[literal] = value ^ self.ones * set_
        words = self.aig.simulate(inputs, self.nexts, PATTERNS, self.cone)
        keys, before = {(CONSTANT, 0): CONSTANT}, len(set(self.classes))
        self.classes = [
            keys.setdefault((kind, word ^ self.ones * set_), len(keys))
            for kind, word, set_ in zip(self.classes, words, self.set_, strict=True)
        ]
        return len(set(self.classes)) > before

    def _refutation(self, directory: Path) -> dict[str, bool] | None:
        """Return inputs at which a class does not agree, though it did before."""
        heads, known = {CONSTANT: FALSE}, dict[int, Literal]()
        for literal, kind, set_ in zip(self.literals, self.classes, self.set_, strict=True):
            head = heads.setdefault(kind, literal ^ set_)
            if head != literal ^ set_:
                known[literal >> 1] = head ^ set_
        nexts = self.aig.copy(self.nexts, self.aig, known)
        firsts, pairs = {CONSTANT: FALSE}, list[tuple[Literal, Literal]]()
        for next_, kind, set_ in zip(nexts, self.classes, self.set_, strict=True):
            pairs.append((firsts.setdefault(kind, next_ ^ set_), next_ ^ set_))
        found = prove(self.aig, pairs, directory)
        return None if found is None else found.inputs
