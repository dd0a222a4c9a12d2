"""Proof that a netlist equals the Verilog: one clock cycle from every state.

Both circuits are cut at registers and at closed cells (memories, multipliers, pads). Each register
of the Verilog holds what a register of the netlist holds. Both start so; if a step from any such
state, with any inputs, leads to such a state and to the same outputs, they stay equal for ever.
Where the Verilog says nothing, as of a word beyond a memory's last, the netlist is free.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .aig import Aig, Literal
from .box_pairs import pair_boxes
from .correspondence import Held, Pairs, cut_apart, join
from .machine import Machine
from .open_values import open_values
from .prover import Counterexample, prove
from .register_pairs import pair_registers

__all__ = ["Difference", "Equality", "check_netlist"]

Pair = tuple[str, Literal, Literal]


@dataclass(frozen=True, kw_only=True)
class Equality:
    """Counts of the proved equalities."""

    functions: int
    registers: int
    boxes: int


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A difference of the circuits, with the inputs and state bits that are 1."""

    where: str
    expected: str
    found: str
    at: tuple[str, ...] = ()


def check_netlist(
    verilog: Mapping[str, Any], netlist: Mapping[str, Any], directory: Path
) -> Equality | Difference:
    """Prove two modules of gates equal for every sequence of inputs, or say where they differ."""
    boxes = pair_boxes(verilog, netlist)
    states = pair_registers(verilog, netlist, boxes, directory)
    while True:
        steps = _Steps(verilog, netlist, boxes, states)
        guesses = [held for held in states if held.guess]
        refuted = steps.prove([steps.next_value(held) for held in guesses], directory)
        if refuted is None:
            break
        states.remove(guesses[refuted.pair])
    difference = next(steps.fixed(), None)
    if difference is not None:
        return difference
    pairs = [*steps.all()]
    counterexample = steps.prove(pairs, directory)
    if counterexample is None:
        registers = len(steps.right.registers)
        return Equality(functions=len(pairs), registers=registers, boxes=len(boxes))
    expected, found = counterexample.values
    return Difference(
        where=pairs[counterexample.pair][0],
        expected=str(int(expected)),
        found=str(int(found)),
        at=tuple(name for name, value in counterexample.inputs.items() if value),
    )


class _Steps:
    """The functions to prove equal, after both circuits are cut and joined."""

    def __init__(
        self,
        verilog: Mapping[str, Any],
        netlist: Mapping[str, Any],
        boxes: Pairs,
        states: Sequence[Held],
    ) -> None:
        self.aig = Aig()
        self.left, self.right = Machine(verilog, self.aig), Machine(netlist, self.aig)
        self.boxes, self.states = boxes, states
        self.registers = {register.q: register for register in self.right.registers}
        join(self.left, self.right, boxes, states)
        cut_apart(self.left, "Verilog's")
        cut_apart(self.right, "netlist's")

    def prove(self, pairs: Sequence[Pair], directory: Path) -> Counterexample | None:
        return prove(self.aig, [*self._settled(pairs)], directory)

    def _settled(self, pairs: Sequence[Pair]) -> Iterator[tuple[Literal, Literal]]:
        """Yield what to compare: where the Verilog leaves a value open, it is the netlist's."""
        ours = [one for _, one, _ in pairs]
        values = open_values(self.aig, ours, self.left.function("x"))
        for (_, _, other), (open_, value) in zip(pairs, values, strict=True):
            yield self.aig.mux(value, other, open_), other

    def fixed(self) -> Iterator[Difference]:
        """Yield static differences: initial values, parameters, kinds of cells."""
        init = {"0": "0", "1": "1"} | {q: r.init for q, r in self.registers.items()}
        for held in self.states:
            value, expected = init[held.net], held.register.init
            value = {"0": "1", "1": "0"}.get(value, value) if held.inverted else value
            if expected not in ("x", value):
                where = f"initial value of {self.left.name(held.register.q)}"
                yield Difference(where=where, expected=expected, found=value)
        for one, other in self.boxes:
            for name in sorted({*one.parameters, *other.parameters}):
                values = (str(box.parameters.get(name)) for box in (one, other))
                expected, value = values
                if expected != value:
                    where = f"parameter {name} of {one.name}"
                    yield Difference(where=where, expected=expected, found=value)

    def all(self) -> Iterator[Pair]:
        for held in self.states:
            yield self.next_value(held)
            if held.net in self.registers:
                clock = self.left.function(held.register.clock)
                there = self.right.function(self.registers[held.net].clock)
                yield f"clock of {self.left.name(held.register.q)}", clock, there
        yield from self._box_inputs()
        there = self.right.ports("output")
        for name, bits in self.left.ports("output").items():
            for n, (bit, net) in enumerate(zip(bits, there[name], strict=True)):
                yield f"{name}[{n}]", self.left.function(bit), self.right.function(net)

    def next_value(self, held: Held) -> Pair:
        register = self.registers.get(held.net)
        there = self.right.function(held.net if register is None else register.d)
        name = f"next value of {self.left.name(held.register.q)}"
        return name, self.left.function(held.register.d), there ^ held.inverted

    def _box_inputs(self) -> Iterator[Pair]:
        for one, other in self.boxes:
            for pin, bits in one.inputs.items():
                there = other.inputs.get(pin, ["x"] * len(bits))
                for n, (bit, net) in enumerate(zip(bits, there, strict=True)):
                    if bit != "x":  # of that the Verilog says nothing
                        where = f"{one.name}.{pin}[{n}]"
                        yield where, self.left.function(bit), self.right.function(net)
