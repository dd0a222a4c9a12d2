"""Two circuits to prove equivalent: shared inputs, and cuts in both."""

from collections.abc import Sequence
from dataclasses import dataclass

from lutformer.errors import BuildFailed

from .gates import Bit
from .machine import Box, Machine, Register

__all__ = ["Held", "Pairs", "cut_apart", "join", "named_states"]

Pairs = list[tuple[Box, Box]]
"""Closed cells of either circuit that are one."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """The net of the other circuit that a register holds, or its complement."""

    register: Register
    net: Bit
    inverted: bool = False
    guess: bool = False
    """Whether only what it does says so, no name."""


def named_states(left: Machine, right: Machine) -> list[Held]:
    """Return the registers of ``left`` that have a name of a register or constant of ``right``."""
    known = {register.q for register in right.registers} | {"0", "1"}
    states = []
    for register in left.registers:
        # The source's names first: those of Yosys may have gone to another net.
        names = sorted(left.names.get(register.q, []), key=lambda name: "$" in name[0])
        nets = [
            right.wires[wire][place]
            for wire, place in names
            if wire in right.wires and place < len(right.wires[wire])
        ]
        states += [Held(register=register, net=net) for net in nets if net in known][:1]
    return states


def join(left: Machine, right: Machine, boxes: Pairs, states: Sequence[Held]) -> None:
    """Cut both circuits at inputs, ``boxes`` and registers, and join corresponding nets.

    Registers of ``right`` are one too, if a register of ``left`` holds what each of them does.

    Raises
    ------
    BuildFailed
        If they do not have the same inputs.
    """
    inputs = left.ports("input", "inout"), right.ports("input", "inout")
    widths = [{name: len(bits) for name, bits in ports.items()} for ports in inputs]
    if widths[0] != widths[1]:
        raise BuildFailed("Verilog and netlist do not have the same inputs")
    for machine, ports in zip((left, right), inputs, strict=True):
        for name, bits in ports.items():
            machine.gates.cut(name, bits)
    for one, other in boxes:
        for machine, box in ((left, one), (right, other)):
            for pin, bits in box.outputs.items():
                machine.gates.cut(f"{one.name}.{pin}", bits)
    for held in sorted(states, key=lambda held: not held.guess):  # names come one to a register
        if not left.gates.knows(held.register.q):
            right.gates.cut(right.name(held.net), [held.net])
            left.gates.define(held.register.q, right.function(held.net) ^ held.inverted)
        elif not right.gates.knows(held.net):
            right.gates.define(held.net, left.function(held.register.q) ^ held.inverted)
    for register in right.registers:
        right.gates.cut(right.name(register.q), [register.q])


def cut_apart(machine: Machine, side: str, boxes: Sequence[Box] = ()) -> None:
    """Cut a joined circuit also where it has nothing in common with the other: anything is there.

    That is at ``boxes``, at registers that are left, and at bits of which the source says nothing.
    """
    machine.gates.cut(f"{side} unknown", ["x"])
    for box in boxes:
        for pin, bits in box.outputs.items():
            machine.gates.cut(f"{side} {box.name}.{pin}", bits)
    for register in machine.registers:
        machine.gates.cut(f"{side} {machine.name(register.q)}", [register.q])
