"""``lutformer simulate``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..options import Generated, Waves

__all__ = ["EXAMPLES", "simulate"]

EXAMPLES = (
    "lutformer simulate build/digits-icebreaker",
    "lutformer simulate build/digits-icebreaker --frames 2 --simulator icarus --waves fst",
)

WAVES = {"icarus": "fst", "verilator": "vcd"}


def simulate(
    directory: Generated,
    frames: Annotated[
        int | None,
        typer.Option(
            "--frames",
            "--tokens",
            min=1,
            help="Held-out images or rows to run (default 10), or tokens to generate (64).",
        ),
    ] = None,
    simulator: Annotated[
        Literal["verilator", "icarus"],
        typer.Option(help="Verilator compiles for a minute and runs fast; Icarus starts at once."),
    ] = "verilator",
    waves: Waves = None,
    activity: Annotated[
        bool, typer.Option("--activity", help="Also count the toggles of every net; slower.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="The network's dataset, if it is your own file.")
    ] = None,
) -> None:
    """Compare the Verilog with the golden run in simulation.

    A vision transformer classifies held-out images, and every integer of every block is compared
    (cocotb). A weightless classifier classifies rows; counts and classes are compared. A decoder
    continues a held-out text; every logit, every change of the residual stream and the chosen
    tokens are compared. Without data (a network of unknown origin), inputs are random from a fixed
    seed. A single mismatch is an error.
    """
    from ..console import next_step, out
    from ..errors import UsageError
    from ..families import family_of
    from ..simulating import cycles_told, simulate_frames
    from ..workspace import Workspace

    if waves is not None and waves != WAVES[simulator]:
        raise UsageError(
            f"{simulator.capitalize()} writes {WAVES[simulator]} here: give --waves "
            f"{WAVES[simulator]}, or another --simulator"
        )
    workspace = Workspace(directory)
    record = simulate_frames(
        workspace,
        frames,
        simulator=simulator,
        waves=waves is not None,
        activity=activity,
        data=data,
    )
    unit = family_of(workspace.stored_network()).inference
    out.print(
        f"RTL == golden: {record['integers']} integers of {unit.counted(record['frames'])} "
        f"({record['images']}), {record['mismatches']} mismatches"
    )
    for sentence in cycles_told(record):
        out.print(sentence)
    if workspace.verilog == workspace.top:
        next_step("lutformer", "build", directory)
