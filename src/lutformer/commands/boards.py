"""``lutformer boards``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..boards.board import Board
    from ..planning import Shortage

__all__ = ["EXAMPLES", "boards"]

EXAMPLES = ("lutformer boards", "lutformer boards --json")


def boards(
    json: Annotated[bool, typer.Option("--json", help="Print all board data as JSON.")] = False,
) -> None:
    """List the boards, what their chips hold, and which presets fit.

    Whether a preset fits is the planner's estimate for a network of its shape with random weights.
    Only `lutformer build` decides for a trained network.
    """
    import json as encoder

    from ..boards.board import boards as every_board
    from ..console import out

    every = list(every_board())
    lacking = _lacking(every)
    if json:
        record = {"boards": [_record(board, lacking) for board in every]}
        out.print(encoder.dumps(record, indent=2), markup=False)
        return
    _print(every, lacking)


def _lacking(every: "list[Board]") -> "dict[str, dict[Any, Shortage]]":
    """Return what each chip lacks for each preset; boards with the same budget share a chip."""
    from ..console import progress
    from ..families import family_of
    from ..model.config.presets import PRESETS
    from ..planning import shortage

    chips = {board.budget: board for board in reversed(every)}
    lacking: dict[str, dict[Any, Shortage]] = {}
    with progress("what fits", len(PRESETS) * len(chips)) as advance:
        for name, preset in PRESETS.items():
            network = family_of(preset.model).random_network(preset.model)
            found = lacking.setdefault(name, {})
            for budget, board in chips.items():
                found[budget] = shortage(network, board)
                advance(sum(map(len, lacking.values())))
    return lacking


def _record(board: "Board", lacking: "dict[str, dict[Any, Shortage]]") -> dict[str, Any]:
    """Return a board as a record: its data, pins and fitting presets."""
    record = board.model_dump(mode="json", exclude={"synth", "nextpnr", "uart", "leds"})
    fits: dict[str, Any] = {}
    for name, found in lacking.items():
        over = found[board.budget]
        needs = {word: {"needed": need, "there": there} for word, (need, there) in over.items()}
        fits[name] = {"fits": not over, "lacks": needs}
    pll = board.clock_hz != board.crystal_hz
    return record | {"pll": pll, "wires": board.wires(), "presets": fits}


def _print(every: "list[Board]", lacking: "dict[str, dict[Any, Shortage]]") -> None:
    from ..console import table

    table(
        ("board", "title", "chip", "LUTs", "block memories", "SPRAM", "DSP", "clock", "written to"),
        [
            (
                b.name,
                b.title,
                b.device,
                b.budget.luts,
                f"{b.budget.ebr} x {b.budget.ebr_bits} bits",
                b.budget.spram,
                b.budget.dsp,
                f"{b.clock_hz / 1e6:g} MHz",
                ", ".join(b.targets),
            )
            for b in every
        ],
    )
    budgets = list(dict.fromkeys(b.budget for b in every))
    chips = [", ".join(sorted({b.device for b in every if b.budget == of})) for of in budgets]
    rows = [(name, *(_verdict(found[of]) for of in budgets)) for name, found in lacking.items()]
    table(("preset", *chips), rows, title="What fits, by estimate")


def _verdict(lacks: "Shortage") -> str:
    short = (f"{need} of {there} {word}" for word, (need, there) in lacks.items())
    return "; ".join(short) or "fits"
