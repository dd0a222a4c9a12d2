"""Equality of Boolean functions on every input, by ABC's combinational equivalence checker."""

import contextlib
import importlib.util
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lutformer.errors import LutformerError, ToolMissing

from .aig import Aig, Literal

__all__ = ["Counterexample", "Undecided", "prove", "prove_by_diagrams"]

SECONDS = 600
VERDICT = re.compile(r"^Networks are (equivalent|NOT EQUIVALENT|UNDECIDED)", re.MULTILINE)

SATISFIABLE = re.compile(r"^(UN)?SATISFIABLE", re.MULTILINE)


class Undecided(LutformerError):
    """The prover gave up: neither equal nor not."""


@dataclass(frozen=True, kw_only=True)
class Counterexample:
    """An input on which two functions differ.

    Attributes
    ----------
    pair : int
        Index of the functions.
    inputs : dict of str to bool
        Value of each input.
    values : tuple of bool
        What the two functions make of it.
    """

    pair: int
    inputs: dict[str, bool]
    values: tuple[bool, bool]


def prove(
    aig: Aig,
    pairs: Sequence[tuple[Literal, Literal]],
    directory: Path,
    *,
    seconds: int = SECONDS,
) -> Counterexample | None:
    """Prove both functions of each pair equal on every input, or return where they are not.

    A counterexample is evaluated here once more before it is believed.

    Raises
    ------
    Undecided
        When that takes longer than ``seconds``.
    ToolMissing
        When ABC is not installed.
    """
    open_ = [n for n, (a, b) in enumerate(pairs) if a != b]  # equal in structure: proven already
    if not open_:
        return None
    for side, name in enumerate(("left.aig", "right.aig")):
        (directory / name).write_bytes(aig.aiger([pairs[n][side] for n in open_]))
    verdict, _ = _abc(f"&r left.aig; &cec -T {seconds} right.aig", directory, seconds)
    if verdict == "equivalent":
        return None
    # The other checker of ABC tells the counterexample; it is at hand where there is one.
    verdict, said = _abc(f"cec -T {seconds} -n left.aig right.aig", directory, seconds)
    if verdict == "equivalent":
        return None
    if verdict != "NOT EQUIVALENT":
        raise Undecided(
            f"The prover did not decide within {seconds} s whether {len(open_)} functions are "
            f"equal; its log is {str(directory / 'prover.log')!r}"
        )
    values = [bit == "1" for bit in re.findall(r"pi\d+ = 1'h([01])", said)]
    return _confirm(aig, pairs, dict(zip(aig.inputs, values, strict=True)))


def prove_by_diagrams(
    aig: Aig, pairs: Sequence[tuple[Literal, Literal]], directory: Path, *, seconds: int = SECONDS
) -> bool:
    """Return whether both functions of each pair are equal on every input, by decision diagrams.

    Of counts of free bits these are small, while :func:`prove` takes twice as long with each bit.

    Raises
    ------
    Undecided
        When that takes longer than ``seconds``.
    """
    for side, name in enumerate(("left.aig", "right.aig")):
        (directory / name).write_bytes(aig.aiger([pair[side] for pair in pairs]))
    _, said = _abc("miter left.aig right.aig; collapse -r; strash; sat", directory, seconds)
    verdict = SATISFIABLE.search(said)
    if verdict is None:
        raise Undecided(
            f"Decision diagrams did not decide within {seconds} s whether {len(pairs)} functions "
            f"are equal; the log is {str(directory / 'prover.log')!r}"
        )
    return verdict[1] == "UN"


def _confirm(
    aig: Aig, pairs: Sequence[tuple[Literal, Literal]], inputs: dict[str, bool]
) -> Counterexample:
    flat = [literal for pair in pairs for literal in pair]
    values = aig.evaluate(inputs, flat)
    for n, pair in enumerate(zip(values[::2], values[1::2], strict=True)):
        if pair[0] != pair[1]:
            return Counterexample(pair=n, inputs=inputs, values=pair)
    raise Undecided("The prover's counterexample is not one: report this as a bug")


def _abc(command: str, directory: Path, seconds: int) -> tuple[str, str]:
    """Run ABC, which may overlook its own limit of time; return its last verdict and its words."""
    spec = importlib.util.find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise ToolMissing("Not installed: yosys; run `pip install pyosys`")
    program = Path(spec.origin).with_name("yosys-abc")
    log = directory / "prover.log"
    with log.open("wb") as stream, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [str(program), "-c", command],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=seconds,
        )
    said = log.read_text()
    verdicts = VERDICT.findall(said)
    return verdicts[-1] if verdicts else "", said
