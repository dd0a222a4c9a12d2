"""Claims about the core of a weightless classifier."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..boards.board import Board, boards
from ..errors import NotEqual
from ..hdl.core.top import CORE
from ..model.network.weightless_classifier import WeightlessClassifier
from ..sim.formal.aig import Aig
from ..sim.formal.classifier_proof import ClassifierProof, WrongResult, sample_words
from ..sim.formal.lowering import mapped, netlist_gates, verilog_gates
from ..sim.formal.netlist_proof import Difference, check_netlist
from ..sim.formal.pipeline import Pipeline
from ..sim.formal.prover import Undecided
from .board_proof import board_task, difference
from .claims import EVERY_INPUT, EVERY_STATE, Skipped, Task

if TYPE_CHECKING:
    from ..workspace import Workspace

__all__ = ["classifier_tasks"]


def classifier_tasks(network: WeightlessClassifier, workspace: "Workspace") -> Iterator[Task]:
    """Yield the claims about a spatial core alone, or about the netlist of a whole board.

    Of the core: how it moves, what it computes, and its netlists.

    A core of plain Verilog belongs to no family, so netlists of all of them are made; one of a
    family's own cells can only be synthesised for that.
    """
    if workspace.verilog == workspace.top:
        yield _elsewhere(workspace, "a board's core takes bytes: run `lutformer generate --core`")
        yield board_task(workspace)
        return
    if (workspace.read(workspace.plan_file) or {}).get("lanes"):
        yield _elsewhere(workspace, "a folded core takes many cycles: run `lutformer simulate`")
        return
    core = _Core(network, workspace.require_verilog(), workspace.path / "proof" / CORE)
    name = core.verilog.name
    yield Task(
        part=name,
        claim="every register moves with the samples, and holds with them",
        method=EVERY_STATE,
        work=core.moves,
    )
    yield Task(part=name, claim="Verilog == network", method=EVERY_INPUT, work=core.classifies)
    for board in _synthesisers(workspace):
        yield Task(
            part=name,
            claim=f"netlist of the core alone ({board.family}) == Verilog",
            method=EVERY_STATE,
            work=lambda board=board: core.netlist_does_the_same(board),
        )


def _elsewhere(workspace: "Workspace", reason: str) -> Task:
    """Return a claim that is not shown here."""

    def skip() -> str:
        raise Skipped(reason)

    name = workspace.verilog.name
    return Task(part=name, claim="Verilog == network", method=EVERY_INPUT, work=skip)


def _synthesisers(workspace: "Workspace") -> list[Board]:
    """Return a board of each family that the core can be synthesised for."""
    plan = workspace.read(workspace.plan_file) or {}
    by_family = {board.family: board for board in boards()}
    return [
        board
        for family, board in sorted(by_family.items())
        if plan.get("fabric") in ("lut4", "wide", family)
    ]


class _Core:
    """The emitted core, taken apart once."""

    def __init__(self, network: WeightlessClassifier, verilog: Path, directory: Path) -> None:
        self.network, self.verilog, self.directory = network, verilog, directory

    @cached_property
    def _gates(self) -> dict[str, Any]:
        return verilog_gates(self.verilog, CORE, self.directory)

    @cached_property
    def _words(self) -> tuple[Aig, list[int], Pipeline]:
        aig = Aig()
        words = sample_words(aig, self.network.encoder)
        return aig, words, Pipeline(self._gates, aig, words)

    def moves(self) -> str:
        _, _, pipeline = self._words
        pipeline.check(self.directory)
        return f"{pipeline.registers} registers, {pipeline.stages} on every way"

    def classifies(self) -> str:
        aig, words, pipeline = self._words
        proof = ClassifierProof(aig, self.network, words, pipeline.outputs)
        try:
            found = proof.check(self.directory)
        except Undecided as error:
            raise Skipped(str(error)) from error
        if isinstance(found, WrongResult):
            raise NotEqual(_wrong(self.verilog, found))
        luts = sum(layer.luts for layer in self.network.layers)
        return f"{luts} LUTs, {self.network.classes} classes, {found}"

    def netlist_does_the_same(self, board: Board) -> str:
        directory = self.directory / board.family
        netlist = mapped(self.verilog, CORE, board, directory)
        gates = netlist_gates({CORE: netlist}, CORE, board.family, directory)
        found = check_netlist(self._gates, gates, directory)
        if isinstance(found, Difference):
            raise NotEqual(difference(directory / "mapped.json", found))
        return f"{found.functions} functions around {found.registers} registers"


def _wrong(verilog: Path, wrong: WrongResult) -> str:
    words = " ".join(map(str, wrong.words))
    return (
        f"The emitted Verilog {str(verilog)!r} is not what was trained: {wrong.name} of the sample "
        f"{words} is {wrong.found}, by the network {wrong.trained}"
    )
