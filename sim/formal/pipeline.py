"""A stream's circuit of one sample a cycle as the function that it computes of each sample.

What makes it one is checked, not assumed: the handshake, and that every register takes a new value
exactly when the samples move on, from registers that are all one sample younger.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lutformer.errors import LutformerError

from .aig import FALSE, TRUE, Aig, Literal
from .machine import Machine, Register
from .prover import prove

__all__ = ["NoPipeline", "Pipeline"]


class NoPipeline(LutformerError):
    """The circuit is not a pipeline between streams."""


class Pipeline:
    """A module with streams ``i`` and ``o``, every register of which moves with every sample.

    Parameters
    ----------
    module : mapping
        Of the JSON that Yosys writes, gates and flip-flops only.
    aig : Aig
        In which the function is made.
    payload : sequence of int
        What comes in at ``i``.

    Attributes
    ----------
    outputs : list of int
        What has become of it when it comes out at ``o``.
    stages : int
        Registers on every way from ``i`` to ``o``.
    registers : int
        All of them.

    Raises
    ------
    NoPipeline
        If ways from ``i`` to ``o`` differ in their number of registers, or a register that tells
        that a sample is there does not start empty.
    """

    def __init__(self, module: Mapping[str, Any], aig: Aig, payload: Sequence[Literal]) -> None:
        self.module, self.aig = module, aig
        self._running = self._machine(o__ready=TRUE, rst=FALSE)
        self._cut(self._running)
        self._by_literal = {
            self._running.function(register.q): register for register in self._running.registers
        }
        self._valid = self._valid_registers()
        self.stages, self.registers = len(self._valid), len(self._running.registers)
        levels = self._levels()
        flowing = self._machine(o__ready=TRUE, rst=FALSE)
        nets = flowing.ports("input")["i__payload"]
        if len(nets) != len(payload):
            raise NoPipeline(f"The payload of i has {len(nets)} bits, not {len(payload)}")
        for net, literal in zip(nets, payload, strict=True):
            flowing.gates.define(net, literal)
        self._cut_inputs(flowing)
        for register in self._valid:  # which no payload depends on
            flowing.gates.define(register.q, TRUE)
        for _, register in sorted(levels, key=lambda pair: pair[0]):
            flowing.gates.define(register.q, FALSE)  # what it would hold if the samples stood
            flowing.gates.define(register.q, flowing.function(register.d))
        self.outputs = [flowing.function(bit) for bit in flowing.ports("output")["o__payload"]]

    def _machine(self, **fixed: Literal) -> Machine:
        """Return the circuit, with some inputs constant."""
        machine = Machine(self.module, self.aig)
        for name, literal in fixed.items():
            for net in machine.ports("input").get(name, []):
                machine.gates.define(net, literal)
        return machine

    def _cut(self, machine: Machine) -> None:
        """Make free inputs of the circuit's inputs and of its registers' outputs."""
        self._cut_inputs(machine)
        for register in machine.registers:
            machine.gates.cut(f"register {machine.name(register.q)}", [register.q])

    def _cut_inputs(self, machine: Machine) -> None:
        for name, nets in machine.ports("input").items():
            machine.gates.cut(name, nets)

    def _port(self, machine: Machine, name: str) -> Literal:
        (net,) = machine.ports("input", "output")[name]
        return machine.function(net)

    def _valid_registers(self) -> list[Register]:
        """Return the registers between the two ``valid``, the last one first."""
        chain = list[Register]()
        at, start = (self._port(self._running, name) for name in ("o__valid", "i__valid"))
        while at != start:
            register = self._by_literal.get(at)
            if register is None or register in chain:
                raise NoPipeline("o.valid does not follow i.valid through registers alone")
            if register.init != "0":
                raise NoPipeline(f"{self._running.name(register.q)} does not start at 0")
            chain.append(register)
            at = self._running.function(register.d)
        return chain

    def _levels(self) -> list[tuple[int, Register]]:
        """Return every other register after the number of those before it on each way to it."""
        depth = _Depth(self._running, self._by_literal)
        outputs = self._running.ports("output")["o__payload"]
        for n, bit in enumerate(outputs):
            level = depth.of(self._running.function(bit))
            if level not in (None, self.stages):
                raise NoPipeline(
                    f"o.payload[{n}] comes after {level} registers, o.valid after {self.stages}"
                )
        others = [r for r in self._running.registers if r not in self._valid]
        if others and not self.stages:
            raise NoPipeline("o.valid is i.valid, but there are registers")
        return [(depth.of(self._running.function(r.q)) or 0, r) for r in others]

    def check(self, directory: Path) -> None:
        """Prove that the circuit moves and holds as a pipeline does, from every state.

        Raises
        ------
        NoPipeline
            If it does not.
        """
        aig, free = self.aig, self._machine()
        self._cut(free)
        step = self._port(free, "o__ready")
        if self.stages:
            step = aig.or_(step, self._port(free, "o__valid") ^ 1)
        reset = self._port(free, "rst") if self.stages else FALSE
        names, pairs = ["i.ready"], [(self._port(free, "i__ready"), step)]
        for register in free.registers:
            moved = self._running.function(register.d)
            following = aig.mux(free.function(register.q), moved, step)
            if register in self._valid:
                following = aig.and_(following, reset ^ 1)
            names.append(free.name(register.q))
            pairs.append((free.function(register.d), following))
        wrong = prove(aig, pairs, directory)
        if wrong is not None:
            raise NoPipeline(f"{names[wrong.pair]} does not move with the samples")


class _Depth:
    """Number of registers on every path from ``i`` to a function."""

    def __init__(self, machine: Machine, registers: Mapping[Literal, Register]) -> None:
        self.machine, self.aig = machine, machine.gates.aig
        self.registers = registers
        payload = machine.ports("input")["i__payload"]
        self.known: dict[int, int | None] = {0: None}  # constants: at any depth
        self.known |= {machine.function(bit) >> 1: 0 for bit in payload}

    def of(self, literal: Literal) -> int | None:
        """Return the number of registers, None if there is no way from ``i``."""
        waiting, entered = [literal >> 1], set[int]()
        while waiting:
            node = waiting.pop()
            if node in self.known:
                continue
            sources = self._sources(node)
            missing = [source for source in sources if source not in self.known]
            if not missing:
                self.known[node] = self._joined(node, sources)
            elif node in entered:
                raise NoPipeline("A register of the circuit depends on itself")
            else:
                entered.add(node)
                waiting += [node, *missing]
        return self.known[literal >> 1]

    def _sources(self, node: int) -> list[int]:
        register = self.registers.get(2 * node)
        if register is not None:
            return [self.machine.function(register.d) >> 1]
        fanins = self.aig.fanins(node)
        if fanins is None:
            raise NoPipeline("The payload of o depends on more than that of i")
        return [fanin >> 1 for fanin in fanins]

    def _joined(self, node: int, sources: Sequence[int]) -> int | None:
        levels = {self.known[source] for source in sources} - {None}
        if len(levels) > 1:
            raise NoPipeline("Ways through the circuit differ in their number of registers")
        level = levels.pop() if levels else None
        return level if level is None else level + (2 * node in self.registers)
