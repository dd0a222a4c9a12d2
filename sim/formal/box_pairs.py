"""Which closed cells (memories, multipliers, pads) of two circuits are one."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from lutformer.errors import BuildFailed

from .aig import Aig
from .correspondence import Pairs, cut_apart, join, named_states
from .machine import Box, Machine

__all__ = ["pair_boxes"]

PATTERNS = 2048


def pair_boxes(verilog: Mapping[str, Any], netlist: Mapping[str, Any]) -> Pairs:
    """Pair the cells of two modules: by name, by the names of their outputs, by their inputs.

    Raises
    ------
    BuildFailed
        If one has a cell that the other lacks.
    """
    aig = Aig()
    left, right = Machine(verilog, aig), Machine(netlist, aig)
    pairs = _by_name(left, right)
    alone = _alone(left.boxes, pairs, 0), _alone(right.boxes, pairs, 1)
    if alone[0] and alone[1]:
        join(left, right, pairs, named_states(left, right))
        for machine, side, boxes in ((left, "left", alone[0]), (right, "right", alone[1])):
            cut_apart(machine, side, boxes)
        pairs += _by_inputs(left, right, *alone)
    lost = _alone(left.boxes, pairs, 0) + _alone(right.boxes, pairs, 1)
    if lost:
        raise BuildFailed(f"Only one of Verilog and netlist has the cell {lost[0].name!r}")
    return pairs


def _alone(boxes: Iterable[Box], pairs: Pairs, side: int) -> list[Box]:
    paired = {pair[side].name for pair in pairs}
    return [box for box in boxes if box.name not in paired]


def _by_name(left: Machine, right: Machine) -> Pairs:
    there = {box.name: box for box in right.boxes}
    pairs = [(box, there.pop(box.name)) for box in left.boxes if box.name in there]
    owners = {name: box.name for box in there.values() for name in _output_names(right, box)}
    for box in _alone(left.boxes, pairs, 0):
        votes = Counter(owners[name] for name in _output_names(left, box) if name in owners)
        for name, _ in votes.most_common(1):
            if name in there:
                pairs.append((box, there.pop(name)))
    return pairs


def _output_names(machine: Machine, box: Box) -> list[tuple[str, int]]:
    return [n for bits in box.outputs.values() for bit in bits for n in machine.names.get(bit, [])]


def _by_inputs(left: Machine, right: Machine, ours: list[Box], theirs: list[Box]) -> Pairs:
    """Pair cells of one kind that get the same at random inputs."""
    aig, rng = left.gates.aig, random.Random(0)
    words = {literal: rng.getrandbits(PATTERNS) for literal in aig.inputs.values()}

    def behaviour(machine: Machine, box: Box) -> tuple[object, ...]:
        pins = sorted(box.inputs.items())
        literals = [machine.function(bit) for _, bits in pins for bit in bits if bit != "x"]
        return (box.type, *sorted(box.parameters.items()), *aig.simulate(words, literals, PATTERNS))

    there: dict[tuple[object, ...], list[Box]] = {}
    for box in theirs:
        there.setdefault(behaviour(right, box), []).append(box)
    pairs = []
    for box in ours:
        same = there.get(behaviour(left, box))
        if same:
            pairs.append((box, same.pop(0)))
    return pairs
