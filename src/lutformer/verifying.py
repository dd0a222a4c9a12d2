"""Proofs that trained tables, emitted Verilog and netlist are equal, recorded."""

import time
from dataclasses import asdict

from .console import progress
from .families import family_of
from .proofs.claims import Claim, Skipped, Task
from .workspace import Workspace, writable

__all__ = ["verify_directory"]


def verify_directory(workspace: Workspace) -> list[Claim]:
    """Show every claim about a build directory; write and return them.

    Raises
    ------
    NotEqual
        At the first that does not hold.
    """
    workspace.require_verilog()
    writable(workspace.path)
    workspace.verification.unlink(missing_ok=True)
    network = workspace.stored_network()
    waiting, claims = list(family_of(network).proof_tasks(network, workspace)), list[Claim]()
    with progress("Proving", len(waiting)) as advance:
        for task in waiting:
            claims.append(_claim(task))
            advance(len(claims))
    record = {
        "verilog": workspace.digest(),
        "network": network.hash,
        "claims": [asdict(claim) for claim in claims],
    }
    workspace.write(workspace.verification, record)
    return claims


def _claim(task: Task) -> Claim:
    start = time.monotonic()
    try:
        result, shown = task.work(), True
    except Skipped as reason:
        result, shown = f"skipped: {reason}", False
    return Claim(
        part=task.part,
        claim=task.claim,
        method=task.method if shown else "",
        result=result,
        seconds=round(time.monotonic() - start, 2),
        shown=shown,
    )
