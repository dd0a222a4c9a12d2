"""``lutformer build``."""

from typing import Annotated

import typer

from ..options import Generated

__all__ = ["EXAMPLES", "build"]

EXAMPLES = ("lutformer build build/digits-icebreaker", "lutformer build build/ice --seed 3")


def build(
    directory: Generated,
    seed: Annotated[int, typer.Option(min=1, help="Seed of place and route.")] = 1,
) -> None:
    """Build the bitstream: synthesis, place and route, packing.

    Does nothing if the bitstream is up to date. Fails with the numbers if the design does not fit
    the chip or misses the board's clock. The logs of all tools are in DIRECTORY/BOARD.
    """
    from ..building import build_bitstream
    from ..console import next_step, out, table
    from ..workspace import Workspace

    workspace = Workspace(directory)
    result = build_bitstream(workspace, seed)
    used = {"logic cells": "cells", "block memories": "ebr", "SPRAM": "spram", "DSP": "dsp"}
    table(
        ("resource", "used", "of"),
        [(word, result.resources[key], result.available[key]) for word, key in used.items()],
        title=f"{result.board} ({result.device}), LUT4: {result.resources['lut4']}, "
        f"flip-flops: {result.resources['ff']}",
    )
    out.print("fmax {fmax_mhz:.1f} MHz, clock {clock_mhz:g} MHz".format(**result.timing))
    kind = "Unchanged" if result.cached else "Wrote"
    out.print(f"{kind}: {directory / result.bitstream}", markup=False)
    next_step("lutformer", "flash", directory)
