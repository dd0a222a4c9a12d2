"""``lutformer report``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLES", "report"]

EXAMPLES = (
    "lutformer report build/digits-icebreaker",
    "lutformer report build/digits-icebreaker --json",
)


def report(
    directory: Annotated[Path, typer.Argument(help="Build directory, finished or not.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print report.json instead of a summary.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="The network's dataset, if it is your own file.")
    ] = None,
) -> None:
    """Collect all figures of a build directory in a report.

    Writes report.json and report.html, and says how each figure was obtained. Figures of steps that
    have not been run, or that ran on other Verilog, are null.
    """
    from ..console import out
    from ..report.reporting import write_report
    from ..report.summary import print_summary
    from ..workspace import Workspace

    workspace = Workspace(directory)
    found = write_report(workspace, data)
    if as_json:
        print(workspace.report_json.read_text(), end="")
        return
    print_summary(found)
    out.print(f"Wrote {workspace.report_json} and {workspace.report_html}", markup=False)
