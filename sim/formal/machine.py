"""A clocked circuit of gates: registers, ports, and cells whose inside is left aside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .aig import Aig, Literal
from .gates import GATES, Bit, Gates

__all__ = ["Box", "Machine", "Name", "Register"]

REGISTER = "$_DFF_P_"
SCOPE = "$scopeinfo"

Name = tuple[str, int]
"""A wire that the source names, and the number of one of its bits."""


@dataclass(frozen=True, kw_only=True)
class Register:
    """A flip-flop: its output, and its next value at a rising clock edge."""

    q: Bit
    d: Bit
    clock: Bit
    init: str
    """``0``, ``1``, or ``x`` where the source does not say."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A cell that is no gate: a memory, a multiplier, a pad, a PLL."""

    name: str
    type: str
    parameters: Mapping[str, str]
    inputs: Mapping[str, list[Bit]]
    outputs: Mapping[str, list[Bit]]
    """Pins of both directions are among both."""


class Machine:
    """A flat module that Yosys has taken apart into gates and flip-flops.

    Parameters
    ----------
    module : mapping
        Of the JSON that Yosys writes.
    aig : Aig
        In which its functions are made.
    """

    def __init__(self, module: Mapping[str, Any], aig: Aig) -> None:
        self.module = module
        self.gates = Gates(module, aig)

    @cached_property
    def wires(self) -> dict[str, list[Bit]]:
        """Wires that the source names."""
        wires = self.module["netnames"].items()
        return {name: wire["bits"] for name, wire in wires if not wire["hide_name"]}

    @cached_property
    def names(self) -> dict[Bit, list[Name]]:
        """The names of each net."""
        names: dict[Bit, list[Name]] = {}
        for wire, bits in self.wires.items():
            for place, bit in enumerate(bits):
                names.setdefault(bit, []).append((wire, place))
        return names

    @cached_property
    def registers(self) -> list[Register]:
        """All flip-flops."""
        init = dict(self._inits())
        return [
            Register(
                q=cell["connections"]["Q"][0],
                d=cell["connections"]["D"][0],
                clock=cell["connections"]["C"][0],
                init=init.get(cell["connections"]["Q"][0], "x"),
            )
            for cell in self.module["cells"].values()
            if cell["type"] == REGISTER
        ]

    def _inits(self) -> Iterator[tuple[Bit, str]]:
        for wire in self.module["netnames"].values():
            text = str(wire["attributes"].get("init", ""))
            for bit, value in zip(wire["bits"], reversed(text), strict=False):
                if value in "01":
                    yield bit, value

    @cached_property
    def boxes(self) -> list[Box]:
        """All cells that are neither gates nor flip-flops."""
        return [
            _box(name, cell)
            for name, cell in self.module["cells"].items()
            if cell["type"] not in (REGISTER, SCOPE) and cell["type"] not in GATES
        ]

    def ports(self, *directions: str) -> dict[str, list[Bit]]:
        """Return the ports of these directions."""
        ports = self.module["ports"].items()
        return {name: port["bits"] for name, port in ports if port["direction"] in directions}

    def name(self, bit: Bit) -> str:
        """Return a name of a net: the source's if it has one."""
        return "{}[{}]".format(*self.names[bit][0]) if bit in self.names else f"net {bit}"

    def function(self, bit: Bit) -> Literal:
        """Return the function of a net."""
        return self.gates.function(bit)


def _box(name: str, cell: Mapping[str, Any]) -> Box:
    directions, pins = cell["port_directions"], cell["connections"]
    return Box(
        name=name,
        type=cell["type"],
        parameters=cell["parameters"],
        inputs={pin: bits for pin, bits in pins.items() if directions[pin] != "output"},
        outputs={pin: bits for pin, bits in pins.items() if directions[pin] != "input"},
    )
