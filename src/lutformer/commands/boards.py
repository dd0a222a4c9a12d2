"""``lutformer boards``."""

__all__ = ["EXAMPLES", "boards"]

EXAMPLES = ("lutformer boards",)


def boards() -> None:
    """List the boards and what their chips hold."""
    from ..boards.board import boards as every_board
    from ..console import table

    table(
        ("board", "title", "chip", "LUTs", "block memories", "SPRAM", "DSP", "clock"),
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
            )
            for b in every_board()
        ],
    )
