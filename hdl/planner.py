"""Choice of the lanes: the fastest circuit that fits a board, by a model of its costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Protocol

from pydantic import ValidationError

from lutformer.errors import DoesNotFit, UsageError

from ..model.network import Network
from .accelerator import attention_config, matvec_config, readout_config
from .plan import Plan

__all__ = ["Estimate", "Target", "estimate", "make_plan"]

FULL = 1.0  # share of the cells that a plan may take by estimate; the build has the last word
NARROW_DSPS = 16  # chips with fewer DSPs multiply wide words in two steps


class Chip(Protocol):
    """What the planner needs to know of a chip."""

    @property
    def luts(self) -> int: ...
    @property
    def ebr(self) -> int: ...
    @property
    def ebr_bits(self) -> int: ...
    @property
    def ebr_width(self) -> int: ...
    @property
    def dsp(self) -> int: ...


class Target(Protocol):
    """What the planner needs to know of a board."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def clock_hz(self) -> int: ...
    @property
    def baud(self) -> int: ...
    @property
    def budget(self) -> Chip: ...


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a plan costs, estimated: cells within a tenth or two, memories and DSPs exactly."""

    luts: int
    ebr: int
    dsp: int
    cycles: int


def make_plan(
    network: Network, board: Target, overrides: Mapping[str, object] | None = None
) -> Plan:
    """Return the plan with the fewest estimated cycles that fits ``board``, then the fewest cells.

    Parameters
    ----------
    network : Network
    board : Target
        A :class:`lutformer.boards.board.Board`.
    overrides : mapping, optional
        Plan fields that are not up for choice.

    Raises
    ------
    DoesNotFit
        If not even one lane each fits.
    UsageError
        If an override is not a plan field, or no value of it.
    """
    fixed = _base(board) | dict(overrides or {})
    try:
        plans = [Plan.model_validate(lanes | fixed) for lanes in _lanes(network)]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"Plan field {where!r}: {first['msg']}; see docs/architecture.md"
        ) from error
    costs = {plan: estimate(network, plan, board) for plan in dict.fromkeys(plans)}
    fitting = {plan: cost for plan, cost in costs.items() if _fits(cost, board.budget)}
    if not fitting:
        raise _refusal(board, min(costs.values(), key=lambda cost: (cost.ebr, cost.luts)))
    # A few cycles are not worth many cells.
    fastest = min(cost.cycles for cost in fitting.values())
    near = {plan: cost for plan, cost in fitting.items() if cost.cycles <= 1.02 * fastest}
    return min(near, key=lambda plan: (near[plan].luts, near[plan].cycles))


def _base(board: Target) -> dict[str, object]:
    narrow = board.budget.dsp < NARROW_DSPS
    dsp = board.budget.dsp > 0
    return {
        "board": board.name,
        "clock_hz": board.clock_hz,
        "baud": board.baud,
        "narrow": narrow,
        "registers": not narrow,
        **dict.fromkeys(("dsp_norm", "dsp_values", "dsp_divide", "dsp_scale"), dsp),
    }


def _lanes(network: Network) -> Iterator[dict[str, object]]:
    head_width = network.blocks[0].attention.head_width
    columns = sorted({min(n, head_width) for n in (1, 2, 4, 8, 16)})
    for inputs, rows, lanes, column in product(
        (2, 4, 8), (1, 2, 4, 8, 16), (8, 16, 32, 64, 128), columns
    ):
        yield {"inputs": inputs, "rows": rows, "lanes": lanes, "columns": column}


def _fits(cost: Estimate, chip: Chip) -> bool:
    return cost.luts <= FULL * chip.luts and cost.ebr <= chip.ebr and cost.dsp <= chip.dsp


def _refusal(board: Target, cost: Estimate) -> DoesNotFit:
    chip = board.budget
    needs = {
        "logic cells": (cost.luts, chip.luts),
        "block memories": (cost.ebr, chip.ebr),
        "DSPs": (cost.dsp, chip.dsp),
    }
    over = {name: pair for name, pair in needs.items() if pair[0] > pair[1]} or needs
    text = ", ".join(f"{need} of {have} {name}" for name, (need, have) in over.items())
    return DoesNotFit(
        f"The network does not fit {board.title}: the smallest plan needs about {text}; "
        "use a smaller network or a larger board",
        over=over,
    )


def estimate(network: Network, plan: Plan, board: Target) -> Estimate:
    """Return what ``plan`` costs on ``board``, from the shapes alone."""
    return Estimate(
        luts=_luts(network, plan, board.family),
        ebr=sum(_blocks(w, d, board.budget) for w, d in _memories(network, plan)),
        dsp=_dsps(network, plan),
        cycles=_cycles(network, plan),
    )


def _memories(network: Network, plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield width and depth of every memory."""
    matvec, attention = matvec_config(network, plan), attention_config(network, plan)
    readout = readout_config(network, plan)
    tokens, width = network.tokens, network.width
    words = max(map(matvec.words, matvec.layers))
    yield 8, network.embedding.pixels
    yield 16, tokens * width  # residual stream
    span = network.embedding.position.astype(int)
    yield max(int(span.max()).bit_length(), int(~span.min()).bit_length()) + 1, tokens * width
    yield 16, 3 * width  # layer norm
    yield 8 * matvec.inputs, 2 << (words - 1).bit_length()
    depth = sum(matvec.words(layer) * matvec.groups(layer) for layer in matvec.layers)
    yield matvec.weight_bits * matvec.inputs * matvec.rows, depth
    yield matvec.bias_width + 15, sum(layer.rows for layer in matvec.layers)
    yield attention.code_bits, 2 * attention.heads * tokens
    yield attention.weight_width, len(network.blocks) * attention.heads * (attention.code_bits + 1)
    yield 8 * attention.columns, attention.heads * attention.groups * tokens
    yield attention.weight_width, 2 << (tokens - 1).bit_length()
    lane_bits = (2 if readout.ternary else 8) * readout.lanes
    yield lane_bits, sum(readout.slices(layer) * width for layer in readout.layers)
    yield 12, len(network.blocks) * width  # biases of the readouts
    yield matvec.accumulator_width, network.classes


def _blocks(width: int, depth: int, chip: Chip) -> int:
    """Return the block memories of one memory, in the shape that takes the fewest."""
    shapes = []
    wide = chip.ebr_width
    while wide >= 2:
        shapes.append((wide, chip.ebr_bits // wide))
        wide //= 2
    return min(-(-width // w) * -(-depth // d) for w, d in shapes)


def _dsps(network: Network, plan: Plan) -> int:
    attention = attention_config(network, plan)
    wide = 1 if plan.narrow else 2
    return (
        (1 + wide) * plan.dsp_norm
        + attention.columns * plan.dsp_values
        + wide * plan.dsp_divide
        + (1 if matvec_config(network, plan).accumulator_width <= 16 else 2) * plan.dsp_scale
    )


CELLS = {  # of a lookup table of n inputs
    "ice40": {1: 1, 2: 1, 3: 1, 4: 1, 5: 4, 6: 10},
    "ecp5": {1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 4},
}


OVERHEAD = {"ice40": 1.17, "ecp5": 1.25}  # flip-flops and carries in cells without a LUT


def _luts(network: Network, plan: Plan, family: str) -> int:
    """Return the logic cells; the coefficients are fits to synthesised designs."""
    matvec, attention = matvec_config(network, plan), attention_config(network, plan)
    acc, sums = matvec.accumulator_width, attention.sum_width + 8
    terms = plan.inputs * plan.rows
    product_cells = 19 if matvec.weight_bits == 2 else 80
    cells = 1650 + 4 * network.norm.variance_width  # layer norm, link, sequencer, streams
    cells += terms * product_cells + plan.rows * (2 * acc + 12) + 250
    cells += attention.columns * (2 * sums + 10 + (0 if plan.dsp_values else 110)) + 350
    cells += 3 * attention.code_bits + (0 if plan.dsp_divide else 500)
    if plan.registers:
        cells += attention.columns * 18 + 200
    bits, readout_bits = 0, 0
    for block in network.blocks:
        for layer in block.mlp.layers:
            cells += layer.luts * CELLS[family][layer.mapping.shape[1]]
        bits += block.mlp.readout.weight.shape[1]
        readout_bits = 3 if block.mlp.readout.kind == "ternary" else 14
    cells += (bits - plan.lanes) * 3 // 4 + readout_bits * plan.lanes + 150
    cells += 2 * network.blocks[0].mlp.thermometer.bits
    return round(cells * OVERHEAD[family])


def _cycles(network: Network, plan: Plan) -> int:
    """Return the cycles of an inference, pass by pass; each goes at its slowest engine's pace."""
    matvec, attention = matvec_config(network, plan), attention_config(network, plan)
    readout, width, tokens = readout_config(network, plan), network.width, network.tokens
    norm = max(width + network.norm.sum_width + 5, 26 + network.norm.variance_width // 2 + 12)
    norm = max(norm, width * (2 if plan.narrow else 1) + 2)
    patch, *layers, head = matvec.layers
    cycles = tokens * matvec.cycles(patch) + matvec.cycles(head) + tokens * width + 200
    for n in range(len(network.blocks)):
        project, output = layers[2 * n], layers[2 * n + 1]
        queries = attention.cycles // tokens
        mlp = width * readout.slices(readout.layers[n])
        cycles += tokens * (
            max(norm, matvec.cycles(project)) + max(norm, queries, mlp, matvec.cycles(output))
        )
        cycles += 2 * norm + queries + mlp + 100
    return cycles
