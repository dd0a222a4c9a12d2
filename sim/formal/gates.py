"""The functions of a module that Yosys has taken apart into gates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lutformer.errors import BuildFailed

from .aig import FALSE, TRUE, Aig, Literal

__all__ = ["Bit", "Gates"]

Bit = int | str
"""A net's number in the JSON of Yosys, or one of its constants."""

_Gate = Callable[..., Literal]
GATES: dict[str, tuple[str, _Gate]] = {  # its input ports, and what it computes
    "$_BUF_": ("A", lambda aig, a: a),
    "$_NOT_": ("A", lambda aig, a: a ^ 1),
    "$_AND_": ("AB", lambda aig, a, b: aig.and_(a, b)),
    "$_NAND_": ("AB", lambda aig, a, b: aig.and_(a, b) ^ 1),
    "$_OR_": ("AB", lambda aig, a, b: aig.or_(a, b)),
    "$_NOR_": ("AB", lambda aig, a, b: aig.or_(a, b) ^ 1),
    "$_XOR_": ("AB", lambda aig, a, b: aig.xor(a, b)),
    "$_XNOR_": ("AB", lambda aig, a, b: aig.xor(a, b) ^ 1),
    "$_ANDNOT_": ("AB", lambda aig, a, b: aig.and_(a, b ^ 1)),
    "$_ORNOT_": ("AB", lambda aig, a, b: aig.or_(a, b ^ 1)),
    "$_MUX_": ("ABS", lambda aig, a, b, s: aig.mux(a, b, s)),
    "$_NMUX_": ("ABS", lambda aig, a, b, s: aig.mux(a, b, s) ^ 1),
}


class Gates:
    """The nets of a module as functions over a graph.

    Parameters
    ----------
    module : mapping
        Of the JSON that Yosys writes, gates only.
    aig : Aig
    """

    def __init__(self, module: Mapping[str, Any], aig: Aig) -> None:
        self.module, self.aig = module, aig
        self._literals: dict[Bit, Literal] = {"0": FALSE, "1": TRUE}
        self._drivers = {
            cell["connections"]["Y"][0]: cell
            for cell in module["cells"].values()
            if cell["type"] in GATES
        }

    def wire(self, name: str) -> list[Bit]:
        """Return the nets of a wire, bit 0 first."""
        if name not in self.module["netnames"]:
            raise BuildFailed(f"The circuit has no wire {name!r}")
        return self.module["netnames"][name]["bits"]

    def cut(self, name: str, nets: Sequence[Bit]) -> list[Literal]:
        """Make nets free inputs ``name[0]``, ``name[1]``, ...; return their new functions.

        Constants stay what they are, and a net that is there twice is one input.
        """
        for n, net in enumerate(nets):
            if net not in self._literals:
                self._literals[net] = self.aig.input(f"{name}[{n}]")
        return [self._literals[net] for net in nets]

    def knows(self, net: Bit) -> bool:
        """Return whether the function of a net is known."""
        return net in self._literals

    def define(self, net: Bit, literal: Literal) -> None:
        """Make a net the function ``literal``, whatever drives it."""
        self._literals[net] = literal

    def function(self, bit: Bit) -> Literal:
        """Return the driver of net ``bit``, as a function of the known nets."""
        waiting, entered = [bit], set[Bit]()
        while waiting:
            net = waiting[-1]
            if net in self._literals:
                waiting.pop()
                continue
            ports, gate = GATES[self._driver(net)["type"]]
            nets = [self._drivers[net]["connections"][port][0] for port in ports]
            missing = [n for n in nets if n not in self._literals]
            if missing and net in entered:
                raise BuildFailed(f"{self._names(net)} depends on itself without a register")
            if missing:
                entered.add(net)
                waiting += missing
                continue
            self._literals[net] = gate(self.aig, *(self._literals[n] for n in nets))
        return self._literals[bit]

    def _driver(self, net: Bit) -> Mapping[str, Any]:
        if net not in self._drivers:
            raise BuildFailed(f"Nothing that has a known function drives {self._names(net)}")
        return self._drivers[net]

    def _names(self, net: Bit) -> str:
        names = [n for n, wire in self.module["netnames"].items() if net in wire["bits"]]
        return ", ".join(names) or f"net {net!r}"
