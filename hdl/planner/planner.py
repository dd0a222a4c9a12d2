"""Choice of the lanes: the fastest circuit that fits a board, by a model of its costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from itertools import product
from typing import Any, Protocol

from numpy.typing import NDArray
from pydantic import ValidationError

from lutformer.errors import DoesNotFit, UsageError

from ...model.arithmetic import RECIPROCAL_BITS, signed_width
from ...model.linear import MULTIPLIER_BITS
from ...model.network.gpt import Gpt
from ...model.network.transformer import Transformer
from ...model.network.vit import Network
from ...model.sampling import GUMBEL_BITS, TEMPERATURE_BITS, gumbel_table
from ..attention.kinds import own_lanes
from ..lib.arithmetic import product_cells
from ..mlp.kinds import own_lanes as own_lanes_of_mlp
from ..plan.plan import Plan
from ..transformer.engines import attention_of, coder_of, matvec_of, mlp_of
from ..transformer.passes import passes, vectors
from .bound import bound

__all__ = [
    "POPCOUNTS",
    "Estimate",
    "Target",
    "blocks",
    "estimate",
    "fits",
    "make_plan",
    "refusal",
]

FULL = 1.0  # share of the cells that a plan may take by estimate; the build has the last word
POPCOUNTS = {"ice40": "carry", "ecp5": "tree"}  # the smaller one, docs/results.md
NARROW_DSPS = 16  # chips with fewer DSPs multiply wide words in two steps


class Chip(Protocol):
    """The part of a chip's data that the planner reads."""

    @property
    def luts(self) -> int: ...
    @property
    def ebr(self) -> int: ...
    @property
    def ebr_bits(self) -> int: ...
    @property
    def ebr_width(self) -> int: ...
    @property
    def spram(self) -> int: ...
    @property
    def spram_bits(self) -> int: ...
    @property
    def dsp(self) -> int: ...


class Target(Protocol):
    """The part of a board's data that the planner reads."""

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
    spram: int
    dsp: int
    cycles: int


def make_plan(
    network: Transformer, board: Target, overrides: Mapping[str, object] | None = None
) -> Plan:
    """Return the plan with the fewest estimated cycles that fits ``board``, then the fewest cells.

    Parameters
    ----------
    network : Transformer
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
    base, fixed = _base(board), dict(overrides or {})
    try:
        plans = [
            Plan.model_validate(base | lanes | fixed) for lanes in _lanes(network, board.budget)
        ]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"Plan field {where!r}: {first['msg']}; see docs/architecture.md"
        ) from error
    costs = {plan: estimate(network, plan, board) for plan in dict.fromkeys(plans) if _agrees(plan)}
    if not costs:
        raise UsageError(
            "All engines read external weights: in_lanes times out_lanes must equal lanes, and "
            "coder must be off; see docs/architecture.md"
        )
    fitting = {plan: cost for plan, cost in costs.items() if fits(cost, board.budget)}
    if not fitting:
        raise refusal(board, min(costs.values(), key=lambda cost: (cost.ebr, cost.luts)))
    # A few cycles are not worth many cells.
    fastest = min(cost.cycles for cost in fitting.values())
    near = {plan: cost for plan, cost in fitting.items() if cost.cycles <= 1.02 * fastest}
    return min(near, key=lambda plan: (near[plan].luts, near[plan].cycles))


def _agrees(plan: Plan) -> bool:
    """Return whether engines that share a memory read words of one width, one at a time."""
    return not plan.external_weights or (
        plan.lanes == plan.in_lanes * plan.out_lanes and not plan.coder
    )


def _base(board: Target) -> dict[str, object]:
    narrow = board.budget.dsp < NARROW_DSPS
    dsp = board.budget.dsp > 0
    return {
        "board": board.name,
        "clock_hz": board.clock_hz,
        "baud": board.baud,
        "two_cycle_multiply": narrow,
        "registers": not narrow,
        "popcount": POPCOUNTS[board.family],
        **dict.fromkeys(("dsp_norm", "dsp_values", "dsp_divide", "dsp_scale"), dsp),
    }


@singledispatch
def _lanes(network: Transformer, chip: Chip) -> Iterator[dict[str, object]]:
    """Yield the candidates for the open fields of a plan."""
    raise TypeError(f"{type(network).__name__} has no hardware")


@_lanes.register
def _(network: Network, chip: Chip) -> Iterator[dict[str, object]]:
    attention, mlp = network.blocks[0].attention, network.blocks[0].mlp
    columns = sorted({min(n, attention.head_width) for n in (1, 2, 4, 8, 16)})
    lanes = (8, 16, 32, 64, 128) if "lanes" in own_lanes_of_mlp(mlp) else (1,)
    hash_lanes = (1, 2, 4, 8) if "hash_lanes" in own_lanes(attention) else (1,)
    for inputs, rows, lane, column, hash_lane in product(
        (2, 4, 8), (1, 2, 4, 8, 16), lanes, columns, hash_lanes
    ):
        yield {
            "in_lanes": inputs,
            "out_lanes": rows,
            "lanes": lane,
            "columns": column,
            "hash_lanes": hash_lane,
        }


STORED_WIDTHS = (32, 64)
"""Bits that two or all of the SPRAMs of an iCE40 UP give in a cycle."""


@_lanes.register
def _(network: Gpt, chip: Chip) -> Iterator[dict[str, object]]:
    attention, mlp = network.blocks[0].attention, network.blocks[0].mlp
    laned, rich = "lanes" in own_lanes_of_mlp(mlp), chip.dsp >= NARROW_DSPS
    columns = sorted({min(n, attention.head_width) for n in (1, 2, 4, 8, 16, 32)})
    hashed = "hash_lanes" in own_lanes(attention)
    bits = matvec_of(network, Plan()).weight_bits
    sizes = product((4, 8), (2, 4, 8, 16, 32), (32, 64, 128, 256, 512, 1024) if laned else (1,))
    for (inputs, rows, lanes), column, hash_lanes, narrow in product(
        sizes, columns, (1, 4) if hashed else (1,), (False,) if rich else (False, True)
    ):
        choice: dict[str, object] = {
            "in_lanes": inputs,
            "out_lanes": rows,
            "columns": column,
            "hash_lanes": hash_lanes,
            "two_cycle_multiply": narrow,
        }
        if bits * inputs * rows in STORED_WIDTHS and chip.spram:
            yield choice | {"lanes": inputs * rows, "external_weights": True}
        yield choice | {"lanes": lanes, "square": rich, "coder": rich}


def fits(cost: Estimate, chip: Chip) -> bool:
    """Return whether a plan of that cost fits a chip."""
    return (
        cost.luts <= FULL * chip.luts
        and cost.ebr <= chip.ebr
        and cost.spram <= chip.spram
        and cost.dsp <= chip.dsp
    )


def refusal(board: Target, cost: Estimate) -> DoesNotFit:
    """Return the error for a network whose smallest plan, of that cost, does not fit."""
    chip = board.budget
    needs = {
        "logic cells": (cost.luts, chip.luts),
        "block memories": (cost.ebr, chip.ebr),
        "SPRAMs": (cost.spram, chip.spram),
        "DSPs": (cost.dsp, chip.dsp),
    }
    over = {name: pair for name, pair in needs.items() if pair[0] > pair[1]} or needs
    text = ", ".join(f"{need} of {have} {name}" for name, (need, have) in over.items())
    return DoesNotFit(
        f"The network does not fit {board.title}: the smallest plan needs about {text}; "
        "use a smaller network or a larger board",
        over=over,
    )


def estimate(network: Transformer, plan: Plan, board: Target) -> Estimate:
    """Return the estimated cost of ``plan`` on ``board``, from shapes alone."""
    return Estimate(
        luts=_luts(network, plan, board.family),
        ebr=sum(blocks(w, d, board.budget) for w, d in _memories(network, plan)),
        spram=_stored(network, plan, board.budget) if plan.external_weights else 0,
        dsp=_dsps(network, plan),
        cycles=_cycles(network, plan),
    )


def _memories(network: Transformer, plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield width and depth of every memory."""
    matvec, coder = matvec_of(network, plan), coder_of(network, plan)
    yield from _around(network, plan)
    yield 16, vectors(network) * network.width  # residual stream
    yield 16, 3 * network.width  # layer norm
    for engine in (matvec, coder) if coder is not None else (matvec,):
        yield from engine.memories
    attention = attention_of(network, plan)
    yield from attention.memories
    if attention.streams:
        yield 8, vectors(network) * network.blocks[0].attention.value.out_features
    yield from mlp_of(network, plan).memories
    yield matvec.accumulator_width, network.head.out_features


@singledispatch
def _around(network: Transformer, plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield width and depth of the memories before and after the blocks."""
    raise TypeError(f"{type(network).__name__} has no hardware")


@_around.register
def _(network: Network, plan: Plan) -> Iterator[tuple[int, int]]:
    yield 8, network.embedding.pixels
    yield _table(network.embedding.position)


@_around.register
def _(network: Gpt, plan: Plan) -> Iterator[tuple[int, int]]:
    if not plan.external_weights:
        yield _table(network.embedding.token)
    if network.embedding.positions:
        yield _table(network.embedding.position)
    yield _noise_width(), 1 << GUMBEL_BITS


def _noise_width() -> int:
    """Return the signed width of the sampler's noise."""
    return signed_width(min(gumbel_table()), max(gumbel_table()))


def _table(entries: NDArray[Any]) -> tuple[int, int]:
    return signed_width(int(entries.min()), int(entries.max())), entries.size


def _stored(network: Transformer, plan: Plan, chip: Chip) -> int:
    """Return the large memories that the weights take."""
    matvec, mlp = matvec_of(network, plan), mlp_of(network, plan)
    words = matvec.weight_words
    words += sum(shape.weight_words for shape in mlp.external)
    if isinstance(network, Gpt):
        words += -(-network.embedding.token.size * 16 // matvec.weight_width)
    width = 16  # bits of one
    return -(-matvec.weight_width // width) * -(-words // max(chip.spram_bits // width, 1))


def blocks(width: int, depth: int, chip: Chip) -> int:
    """Return the block memories of one memory, in the shape that takes the fewest."""
    shapes = []
    wide = chip.ebr_width
    while wide >= 2:
        shapes.append((wide, chip.ebr_bits // wide))
        wide //= 2
    return min(-(-width // w) * -(-depth // d) for w, d in shapes)


def _dsps(network: Transformer, plan: Plan) -> int:
    matvec = matvec_of(network, plan)
    wide = 1 if plan.two_cycle_multiply else 2
    products = 0 if matvec.weight_bits == 2 else plan.in_lanes * plan.out_lanes
    sampler = isinstance(network, Gpt) and plan.dsp_scale
    return (
        (1 + wide) * plan.dsp_norm
        + 4 * plan.square
        + sampler
        + attention_of(network, plan).dsps
        + products
        + (1 if matvec.accumulator_width <= 16 else 2) * plan.dsp_scale
    )


OVERHEAD = {"ice40": 1.17, "ecp5": 1.25}  # flip-flops and carries in cells without a LUT


def _luts(network: Transformer, plan: Plan, family: str) -> int:
    """Return the logic cells; the coefficients are fits to synthesised designs."""
    matvec = matvec_of(network, plan)
    terms = plan.in_lanes * plan.out_lanes * (1 + plan.coder)
    each = 19 if matvec.weight_bits == 2 else 10
    cells = 1650 + 4 * network.norm.variance_width  # layer norm, link, sequencer, streams
    if not plan.dsp_norm:
        cells += product_cells(network.norm.centred_width, RECIPROCAL_BITS)
    if not plan.dsp_scale:
        cells += product_cells(matvec.accumulator_width, MULTIPLIER_BITS - 1)
    cells += terms * each + plan.out_lanes * (2 * matvec.accumulator_width + 12) + 250
    cells += attention_of(network, plan).cells + mlp_of(network, plan).cells(family)
    if isinstance(network, Gpt):
        cells += 240 + 120 * plan.two_cycle_multiply  # sampler, requests
        if not plan.dsp_scale:
            cells += product_cells(_noise_width(), TEMPERATURE_BITS)
    return round(cells * OVERHEAD[family])


@singledispatch
def _cycles(network: Transformer, plan: Plan) -> int:
    """Return the cycles of an inference, or of a token."""
    raise TypeError(f"{type(network).__name__} has no hardware")


@_cycles.register
def _(network: Gpt, plan: Plan) -> int:
    norm = (1 if plan.square else network.norm.sum_width) + 26 + network.norm.variance_width // 2
    return bound(network, plan)["bound"] + len(passes(network)) * (norm + 50)


@_cycles.register
def _(network: Network, plan: Plan) -> int:
    # Pass by pass; each goes at its slowest engine's pace.
    matvec, attention = matvec_of(network, plan), attention_of(network, plan)
    mlp, width, tokens = mlp_of(network, plan), network.width, network.tokens
    norm = max(width + network.norm.sum_width + 5, 26 + network.norm.variance_width // 2 + 12)
    norm = max(norm, width * (2 if plan.two_cycle_multiply else 1) + 2)
    queries, cycles = attention.cycles // tokens, tokens * width + 200
    for step in passes(network):
        paces = [matvec.cycles(step.layer)]
        if step.source == "norm":
            paces.append(norm)
        if step.source == "attention":
            paces += [queries, norm if mlp.adds else 0]
            if mlp.adds:
                paces.append(mlp.cycles[step.block or 0])
        cycles += (1 if step.raw_to == "logits" else tokens) * max(paces)
        cycles += norm + sum(paces[1:]) + 50
    return cycles
