"""Proofs that trained tables, emitted Verilog and netlist are equal, recorded."""

import hashlib
import time
from dataclasses import asdict, dataclass

from .console import progress
from .workspace import Workspace, writable

__all__ = ["Claim", "verify_directory"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Something that was shown."""

    part: str
    claim: str
    method: str
    result: str
    seconds: float


def verify_directory(workspace: Workspace) -> list[Claim]:
    """Show every claim about a build directory; write and return them.

    Raises
    ------
    NotEqual
        At the first that does not hold.
    """
    from .proofs import tasks

    verilog = workspace.require_verilog()
    writable(workspace.path)
    workspace.verification.unlink(missing_ok=True)
    waiting, claims = list(tasks(workspace)), list[Claim]()
    with progress("Proving", len(waiting)) as advance:
        for task in waiting:
            start = time.monotonic()
            result = task.work()
            seconds = round(time.monotonic() - start, 2)
            claims.append(
                Claim(
                    part=task.part,
                    claim=task.claim,
                    method=task.method,
                    result=result,
                    seconds=seconds,
                )
            )
            advance(len(claims))
    record = {
        "verilog": hashlib.sha256(verilog.read_bytes()).hexdigest(),
        "network": workspace.network().hash,
        "claims": [asdict(claim) for claim in claims],
    }
    workspace.write(workspace.verification, record)
    return claims
