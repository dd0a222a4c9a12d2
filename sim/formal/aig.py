"""And-inverter graphs: Boolean functions as two-input ANDs and complements."""

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import reduce

__all__ = ["FALSE", "TRUE", "Aig", "Literal"]

Literal = int
"""Twice the number of a node, plus one where it is complemented."""

FALSE: Literal = 0
TRUE: Literal = 1


class Aig:
    """Functions of named inputs, as an AIG with structural hashing.

    Attributes
    ----------
    inputs : dict of str to int
        Each input's literal by its name, in order of creation.
    """

    def __init__(self) -> None:
        self.inputs: dict[str, Literal] = {}
        self._fanins: list[tuple[Literal, Literal] | None] = [None]  # of each node; none: no AND
        self._known: dict[tuple[Literal, Literal], Literal] = {}

    def input(self, name: str) -> Literal:
        """Return the input called ``name``, a new one if there is none yet."""
        if name not in self.inputs:
            self.inputs[name] = self._node(None)
        return self.inputs[name]

    def and_(self, a: Literal, b: Literal) -> Literal:
        """Return ``a & b``."""
        a, b = min(a, b), max(a, b)
        if a == FALSE or a == b ^ 1:
            return FALSE
        if a in (TRUE, b):
            return b
        if (a, b) not in self._known:
            self._known[a, b] = self._node((a, b))
        return self._known[a, b]

    def or_(self, a: Literal, b: Literal) -> Literal:
        """Return ``a | b``."""
        return self.and_(a ^ 1, b ^ 1) ^ 1

    def xor(self, a: Literal, b: Literal) -> Literal:
        """Return ``a ^ b``."""
        return self.or_(self.and_(a, b ^ 1), self.and_(a ^ 1, b))

    def mux(self, low: Literal, high: Literal, select: Literal) -> Literal:
        """Return ``select ? high : low``."""
        return self.or_(self.and_(low, select ^ 1), self.and_(high, select))

    def all(self, literals: Iterable[Literal]) -> Literal:
        """Return the AND of ``literals``."""
        return reduce(self.and_, literals, TRUE)

    def any(self, literals: Iterable[Literal]) -> Literal:
        """Return the OR of ``literals``."""
        return reduce(self.or_, literals, FALSE)

    def _node(self, fanins: tuple[Literal, Literal] | None) -> Literal:
        self._fanins.append(fanins)
        return 2 * (len(self._fanins) - 1)

    def fanins(self, node: int) -> tuple[Literal, Literal] | None:
        """Return what a node is the AND of, None for an input or the constant."""
        return self._fanins[node]

    def evaluate(self, inputs: Mapping[str, bool], literals: Sequence[Literal]) -> list[bool]:
        """Return the values of ``literals``; inputs that are not named are false."""
        words = {literal: int(inputs.get(name, 0)) for name, literal in self.inputs.items()}
        return [bool(word) for word in self.simulate(words, literals, 1)]

    def simulate(
        self,
        inputs: Mapping[Literal, int],
        literals: Sequence[Literal],
        width: int,
        cone: Sequence[int] | None = None,
    ) -> list[int]:
        """Return ``literals`` at ``width`` inputs at once: bit n of each word belongs to one.

        ``cone`` is theirs, if it is known.
        """
        ones = (1 << width) - 1
        values = [0] * len(self._fanins)
        for literal, word in inputs.items():
            values[literal >> 1] = word
        for node in self.cone(literals) if cone is None else cone:
            fanins = self._fanins[node]
            if fanins is not None:
                a, b = fanins
                values[node] = (values[a >> 1] ^ ones * (a & 1)) & (values[b >> 1] ^ ones * (b & 1))
        return [values[literal >> 1] ^ ones * (literal & 1) for literal in literals]

    def cone(self, literals: Iterable[Literal]) -> list[int]:
        """Return the nodes that ``literals`` depend on, each after its fan-ins."""
        wanted = bytearray(len(self._fanins))
        for literal in literals:
            wanted[literal >> 1] = 1
        for node in range(len(self._fanins) - 1, 0, -1):  # fan-ins are always older
            fanins = self._fanins[node]
            if wanted[node] and fanins is not None:
                wanted[fanins[0] >> 1] = wanted[fanins[1] >> 1] = 1
        return [node for node in range(1, len(self._fanins)) if wanted[node]]

    def copy(
        self, literals: Sequence[Literal], into: "Aig", known: Mapping[int, Literal]
    ) -> list[Literal]:
        """Build ``literals`` in another graph, with some nodes there already.

        What only those nodes depend on is left out; inputs keep their names.
        """
        place = {0: FALSE, **known}
        names = {literal >> 1: name for name, literal in self.inputs.items()}
        for node in self.above(literals, place):
            fanins = self._fanins[node]
            if fanins is None:
                place[node] = into.input(names[node])
            else:
                place[node] = into.and_(*(place[f >> 1] ^ f & 1 for f in fanins))
        return [place[literal >> 1] ^ literal & 1 for literal in literals]

    def above(self, literals: Iterable[Literal], cut: Container[int]) -> list[int]:
        """Return the nodes that ``literals`` depend on down to those of ``cut``.

        Neither these nor the constant are among them; each node comes after its fan-ins.
        """
        wanted, waiting = set[int](), [literal >> 1 for literal in literals]
        while waiting:
            node = waiting.pop()
            if node == 0 or node in wanted or node in cut:
                continue
            wanted.add(node)
            waiting += [fanin >> 1 for fanin in self._fanins[node] or ()]
        return sorted(wanted)

    def aiger(self, outputs: Sequence[Literal]) -> bytes:
        """Return ``outputs`` as functions of all inputs, in the binary AIGER format."""
        numbers = {literal >> 1: n for n, literal in enumerate(self.inputs.values(), start=1)}
        body = bytearray()
        for node in self.cone(outputs):
            fanins = self._fanins[node]
            if fanins is None:
                continue
            numbers[node] = number = len(numbers) + 1
            a, b = (2 * numbers[f >> 1] | f & 1 if f > 1 else f for f in fanins)
            high, low = max(a, b), min(a, b)
            body += _varint(2 * number - high) + _varint(high - low)
        count, inputs = len(numbers), len(self.inputs)
        lines = [f"aig {count} {inputs} 0 {len(outputs)} {count - inputs}"]
        lines += [str(2 * numbers[o >> 1] | o & 1 if o > 1 else o) for o in outputs]
        return "\n".join(lines).encode() + b"\n" + bytes(body)


def _varint(value: int) -> bytes:
    """Return ``value`` in groups of seven bits, the lowest first."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
