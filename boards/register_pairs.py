"""Which registers of two circuits hold the same.

What is found here is a guess, which a proof then confirms or refutes.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from .aig import Aig
from .correspondence import Held, Pairs, cut_apart, join, named_states
from .gates import Bit
from .machine import Machine, Register

__all__ = ["pair_registers"]

PATTERNS = 2048
QUIET = 24  # rounds without news that end a search; after 6, rare events had not all been seen
CONSTANT = 0  # class of what never changes

Member = tuple[Machine, Register]


def pair_registers(
    verilog: Mapping[str, Any], netlist: Mapping[str, Any], boxes: Pairs
) -> list[Held]:
    """Relate registers of the first module to the second.

    They belong together if they have a name in common; of the others, those that do the same, or
    the opposite, in a simulation. Registers of which nothing is known are left out.
    """
    aig = Aig()
    left, right = Machine(verilog, aig), Machine(netlist, aig)
    states = named_states(left, right)
    here, there = ({held.register.q for held in states}, {held.net for held in states})
    join(left, right, boxes, states)
    cut_apart(left, "left")
    cut_apart(right, "right")
    rest = [(left, register) for register in left.registers if register.q not in here]
    idle = [(right, register) for register in right.registers if register.q not in there]
    return states + _alike(aig, rest, idle)


def _alike(aig: Aig, rest: Sequence[Member], idle: Sequence[Member]) -> list[Held]:
    classes = _classes(aig, [*rest, *idle])
    there: dict[int, tuple[Bit, bool]] = {CONSTANT: ("0", False)}
    for (_, register), kind in zip(idle, classes[len(rest) :], strict=True):
        there.setdefault(kind, (register.q, register.init == "1"))
    found = []
    for (_, register), kind in zip(rest, classes, strict=False):
        if kind in there:
            net, set_ = there[kind]
            inverted = set_ != (register.init == "1")
            found.append(Held(register=register, net=net, inverted=inverted, guess=True))
    return found


def _classes(aig: Aig, members: Sequence[Member]) -> list[int]:
    """Return each register's class; values count from the initial one, the constant's is 0.

    All start in one class. Whatever takes another value than the rest of its class, in a step from
    a random state in which each class agrees, does not belong to it.
    """
    rng, ones = random.Random(0), (1 << PATTERNS) - 1
    initial = [ones * (register.init == "1") for _, register in members]
    literals = [machine.function(register.q) for machine, register in members]
    nexts = [machine.function(register.d) for machine, register in members]
    cone = aig.cone(nexts)
    classes, quiet = [CONSTANT] * len(members), 0
    while members and quiet < QUIET:
        values = {kind: rng.getrandbits(PATTERNS) for kind in set(classes)} | {CONSTANT: 0}
        inputs = {literal: rng.getrandbits(PATTERNS) for literal in aig.inputs.values()}
        for literal, kind, init in zip(literals, classes, initial, strict=True):
            inputs[literal] = values[kind] ^ init
        words = aig.simulate(inputs, nexts, PATTERNS, cone)
        keys = {(CONSTANT, 0): CONSTANT}
        finer = []
        for kind, word, init in zip(classes, words, initial, strict=True):
            finer.append(keys.setdefault((kind, word ^ init), len(keys)))
        quiet = quiet + 1 if len(set(finer)) == len(set(classes)) else 0
        classes = finer
    return classes
