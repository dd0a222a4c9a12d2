"""Proof of a classifier too large for one proof: cut at its lookup tables and at its counts.

Inside of the circuit, simulation looks for what equals an output of a trained table, or tells two
of them apart. That is proven for every sample. Then these functions become inputs, free to be
anything: if the circuit above them counts the tables for all of their values, it does so for those
that samples can give. The circuit's counts become inputs in the same way, above which the class is
proven. A wrong guess makes a false alarm, never a false proof.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, zip_longest
from pathlib import Path

from .aig import FALSE, Aig, Literal
from .aig_words import first_largest, total
from .prover import Counterexample, Undecided, prove, prove_by_diagrams

__all__ = ["prove_in_slices"]

Count = Sequence[Literal]
CLASS_SECONDS = 120  # for the count of a class that could not be cut


@dataclass(frozen=True)
class _Guess:
    """A node of the circuit that one trained bit seems to equal, or the difference of two.

    Attributes
    ----------
    node : int
    bits : tuple of int
        Nodes of the trained bits, one or two.
    inverted : bool
        Whether it is the opposite.
    """

    node: int
    bits: tuple[int, ...]
    inverted: bool


def prove_in_slices(
    aig: Aig,
    index: Sequence[Literal],
    counts: Sequence[Count],
    groups: Sequence[Sequence[Literal]],
    values: Mapping[int, int],
    ones: int,
    directory: Path,
) -> int | Counterexample:
    """Prove that ``counts`` are those of the trained ``groups``, and ``index`` is the class.

    Parameters
    ----------
    values : mapping
        Of each node at some samples, a bit each, by which equal nodes are looked for.
    ones : int
        A value with a bit for every sample.

    Returns
    -------
    int or Counterexample
        At how many nodes the circuit was cut, or where it is wrong.

    Raises
    ------
    Undecided
        If that could not be shown, which does not mean that it is wrong.
    """
    _class_follows(aig, index, counts, directory)
    cuts = [
        _guesses(aig, count, bits, values, ones) for count, bits in zip(counts, groups, strict=True)
    ]
    cuts = _proven(aig, cuts, directory)
    for count, bits, cut in zip(counts, groups, cuts, strict=True):
        if not _count_follows(aig, count, bits, cut, directory):
            pairs = zip_longest(count, total(aig, bits), fillvalue=FALSE)
            wrong = prove(aig, list(pairs), directory, seconds=CLASS_SECONDS)
            if wrong is not None:
                return wrong
    return sum(map(len, cuts))


def _class_follows(
    aig: Aig, index: Sequence[Literal], counts: Sequence[Count], directory: Path
) -> None:
    """Prove that ``index`` is that of the first largest of ``counts``, whatever they are."""
    free = Aig()
    known = {
        digit >> 1: free.input(f"counts[{k}][{n}]")
        for k, count in enumerate(counts)
        for n, digit in enumerate(count)
        if digit > 1
    }
    words = [aig.copy(count, free, known) for count in counts]
    pairs = zip(aig.copy(index, free, known), first_largest(free, words), strict=True)
    if prove(free, list(pairs), directory) is not None:
        raise Undecided("The class was not proved to be that of the largest count")


def _proven(aig: Aig, cuts: Sequence[Sequence[_Guess]], directory: Path) -> list[list[_Guess]]:
    """Return the guesses that are true, for every sample."""
    left = [guess for cut in cuts for guess in cut]
    while left:
        nodes = {node: 2 * node for guess in left for node in guess.bits}
        pairs = [(2 * guess.node, _expressed(guess, nodes, aig)) for guess in left]
        wrong = prove(aig, pairs, directory)
        if wrong is None:
            break
        del left[wrong.pair]
    return [[guess for guess in cut if guess in left] for cut in cuts]


def _guesses(
    aig: Aig,
    circuit: Sequence[Literal],
    bits: Sequence[Literal],
    values: Mapping[int, int],
    ones: int,
) -> list[_Guess]:
    """Return where ``circuit`` seems to have trained ``bits``, by the ``values`` of nodes.

    Those that are left when the circuit is cut at all of them; ``ones`` is a value with all bits.
    """
    seem = _Seeming(bits, values, ones)
    marks: dict[int, _Guess] = {}
    for node in aig.above(circuit, ()):
        found = seem.named(values[node])
        if found is not None:
            marks[node] = _Guess(node, *found)
    reached = {literal >> 1 for literal in circuit}
    for node in aig.above(circuit, marks):
        reached |= {fanin >> 1 for fanin in aig.fanins(node) or ()}
    return [guess for node, guess in marks.items() if node in reached]


class _Seeming:
    """Trained bits, and differences of two of them, by their values."""

    def __init__(self, bits: Sequence[Literal], values: Mapping[int, int], ones: int) -> None:
        self.ones = ones
        self.known: dict[int, tuple[tuple[int, ...], bool]] = {}
        nodes = sorted({bit >> 1 for bit in bits if bit > 1})
        for pair in combinations(nodes, 2):
            self._add(values[pair[0]] ^ values[pair[1]], pair)
        for node in nodes:
            self._add(values[node], (node,))
        self.known.pop(0, None)  # too rare to be known by its values

    def _add(self, value: int, nodes: tuple[int, ...]) -> None:
        inverted = bool(value & 1)
        self.known[value ^ self.ones if inverted else value] = nodes, inverted

    def named(self, value: int) -> tuple[tuple[int, ...], bool] | None:
        inverted = bool(value & 1)
        found = self.known.get(value ^ self.ones if inverted else value)
        return None if found is None else (found[0], found[1] ^ inverted)


def _count_follows(
    aig: Aig,
    count: Sequence[Literal],
    bits: Sequence[Literal],
    cut: Sequence[_Guess],
    directory: Path,
) -> bool:
    """Return whether ``count`` is that of ``bits``, with what ``cut`` says taken for granted.

    Of the bits at which the circuit is cut every value is covered, possible or not.
    """
    free = Aig()
    known = _freed(aig, free, cut)
    places = {guess.node: _expressed(guess, known, free) for guess in cut}
    trained = []
    for bit in bits:
        node = bit >> 1
        literal = known[node] if node in known else aig.copy([2 * node], free, {})[0]
        trained.append(literal ^ bit & 1)
    found, expected = aig.copy(count, free, places), total(free, trained)
    pairs = list(zip_longest(found, expected, fillvalue=FALSE))
    return prove_by_diagrams(free, pairs, directory)


def _freed(aig: Aig, free: Aig, cut: Sequence[_Guess]) -> dict[int, Literal]:
    """Return the trained bits at which the circuit is cut, by their nodes; one of two is free."""
    known = dict[int, Literal]()
    for guess in sorted(cut, key=lambda guess: len(guess.bits)):
        unknown = [node for node in guess.bits if node not in known]
        for node in unknown[1:]:
            known[node] = aig.copy([2 * node], free, {})[0]
        for node in unknown[:1]:
            known[node] = free.input(f"table {node}")
    return known


def _expressed(guess: _Guess, bits: Mapping[int, Literal], aig: Aig) -> Literal:
    """Return the function that a guess expects of its node."""
    return reduce(aig.xor, (bits[node] for node in guess.bits)) ^ guess.inverted
