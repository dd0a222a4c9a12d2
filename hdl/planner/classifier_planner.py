"""The form in which a weightless classifier fits a board."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lutformer.errors import UsageError

from ...model.network.lut_pruning import PrunedClassifier, prune
from ...model.network.weightless_classifier import WeightlessClassifier
from ..classifier.folded_lut_layers import FoldedShape
from ..classifier.folded_tables import folded_tables
from ..classifier.serial_encoder import encoder_program
from ..luts.fabric import FABRICS
from ..plan.classifier_plan import ClassifierPlan
from .planner import Chip, Estimate, Target, blocks, fits, refusal

__all__ = ["make_classifier_plan"]

LEVEL_NS = {"ice40": 4.5, "ecp5": 2.0}
"""Of a lookup table and the wires behind it, on the slowest chip of the family."""
LANES = (32, 16, 8, 4, 2, 1)
TABLE_CELLS = (0.0, 1.0, 1.0, 1.0, 1.0, 2.5, 5.4)
"""Of a table of so many inputs, taken apart into tables of four."""
COUNT_CELLS, CLASS_CELLS, LINK_CELLS = 1.5, 11, 900
"""Of a bit that is counted; of a class in the search for the largest; of what is around."""


def make_classifier_plan(
    network: WeightlessClassifier,
    board: Target,
    overrides: Mapping[str, Any] | None = None,
    *,
    core: bool = False,
) -> ClassifierPlan:
    """Return the plan with every table in the circuit if that fits, else with the most lanes.

    Behind a serial link the clock of the board is all the speed there is use for: as many tables
    as it allows stand in a row. A core alone is made for speed, of plain Verilog.

    Parameters
    ----------
    network : WeightlessClassifier
    board : Target
        A :class:`lutformer.boards.board.Board`.
    overrides : mapping, optional
        Plan fields that are not up for choice.
    core : bool
        Whether the plan is for the core alone.

    Raises
    ------
    DoesNotFit
        If not even one lane fits.
    UsageError
        If the fabric is that of another chip.
    """
    chosen: dict[str, Any] = {"board": board.name, "clock_hz": board.clock_hz, "baud": board.baud}
    if not core:
        rows = int(1e9 / board.clock_hz / LEVEL_NS[board.family])
        chosen |= {"fabric": board.family, "rows": min(64, max(1, rows))}
    chosen |= overrides or {}
    _refuse_foreign_cells(chosen.get("fabric", "lut4"), board)
    if "lanes" in chosen:
        return ClassifierPlan(**chosen)
    pruned, chip, costs = _pruned(network), board.budget, []
    for lanes in (0, *LANES):
        costs.append(_estimate(network, pruned, lanes, chip))
        if fits(costs[-1], chip):
            return ClassifierPlan(**chosen, lanes=lanes)
    least = min(costs, key=lambda cost: max(cost.luts / chip.luts, cost.ebr / chip.ebr))
    raise refusal(board, least)


@lru_cache(maxsize=1)  # the same for every board
def _pruned(network: WeightlessClassifier) -> PrunedClassifier:
    return prune(network)


def _refuse_foreign_cells(fabric: str, board: Target) -> None:
    if FABRICS[fabric].cell and fabric != board.family:
        raise UsageError(
            f"Plan field 'fabric': {board.title} has no cells of the {fabric}; leave the field out"
        )


def _estimate(
    network: WeightlessClassifier, pruned: PrunedClassifier, lanes: int, chip: Chip
) -> Estimate:
    """Return what so many lanes cost, fitted to synthesised designs; memories exactly."""
    bits, classes = len(pruned.bits), len(pruned.groups)
    around = LINK_CELLS + bits + CLASS_CELLS * classes
    program = encoder_program(network.encoder, pruned)
    encoder = blocks(network.encoder.bits + 2, len(program), chip)
    if lanes == 0:
        tables = sum(TABLE_CELLS[len(lut.inputs)] for layer in pruned.layers for lut in layer)
        counts = COUNT_CELLS * sum(map(len, pruned.groups))
        return Estimate(luts=round(around + tables + counts), ebr=encoder, spram=0, dsp=0, cycles=0)
    shape = FoldedShape(tuple(folded_tables(pruned, lanes)), lanes)
    select = 2 / 3 * (shape.fan_in * shape.width + (1 << shape.fan_in))  # per lane
    return Estimate(
        luts=round(around + 2 * shape.width + lanes * select),
        ebr=encoder + blocks(lanes * shape.lane_bits, sum(shape.steps), chip),
        spram=0,
        dsp=0,
        cycles=sum(shape.steps),
    )
