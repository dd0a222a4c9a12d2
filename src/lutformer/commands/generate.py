"""``lutformer generate``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "generate"]

EXAMPLES = (
    "lutformer generate build/digits/network.safetensors --board icebreaker",
    "lutformer generate mine.safetensors --board ulx3s_85f --plan lanes.toml -o build/mine",
    "lutformer generate mine.safetensors --board ulx3s_85f --core -o build/core",
)


def generate(
    network: Annotated[Path, typer.Argument(help="Network of `lutformer export`.")],
    board: Annotated[str, typer.Option(help="Name or file of a board; see `lutformer boards`.")],
    plan: Annotated[Path | None, typer.Option(help="TOML file of plan fields to override.")] = None,
    core: Annotated[
        bool, typer.Option("--core", help="Only the core, with plain streams, for your own design.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Build directory; build/NETWORK-BOARD if not given."),
    ] = None,
) -> None:
    """Generate Verilog from a network.

    Writes top.v, and the plan and the sequencer's program to read along (plan.json, program.txt).
    With --core, writes the files that docs/core.md describes. The planner chooses lanes and
    memories to fit the board, or says by how much the network does not fit. The same network, plan
    and version give the same bytes.
    """
    from ..console import next_step, out, table
    from ..generating import generate_verilog

    stem = network.parent.resolve().name if network.stem == "network" else network.stem
    directory = output or Path("build") / f"{stem}-{Path(board).stem}"
    workspace, made = generate_verilog(network, board, directory, plan_file=plan, core=core)
    table(("plan", ""), [(name, str(value)) for name, value in made.model_dump().items()])
    out.print(f"Wrote {workspace.verilog}", markup=False)
    next_step("lutformer", "simulate", directory)
