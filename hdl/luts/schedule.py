"""The positions of registers in a graph of lookup tables."""

from collections.abc import Sequence

from .graph import LutGraph

__all__ = ["registers", "schedule"]

SWEEPS = 8
"""Passes over all tables in which each one moves to where it costs the fewest registers."""
LARGE, LARGE_SWEEPS = 10_000, 2
"""Tables from which on there are fewer: the first ones save the most."""


def schedule(graph: LutGraph, roots: Sequence[int], stages: int) -> list[int]:
    """Return the stage 0 to ``stages - 1`` of each node; registers follow every stage.

    Stages hold equally many tables in a row, the last one perhaps fewer. A table with time to
    spare moves to where the fewest registers wait for it. Inputs belong to stage 0. Without
    registers (``stages = 0``) all is stage 0.
    """
    depth = max((graph.levels[root] for root in roots), default=0)
    rows = -(-depth // max(stages, 1))
    order = [node for node, sources in enumerate(graph.sources) if sources]
    readers: list[list[int]] = [[] for _ in graph.sources]
    for node in order:
        for source in graph.sources[node]:
            readers[source].append(node)
    level = list(graph.levels)
    last = max(rows * stages, depth)
    ends = set(roots)
    sweeps = SWEEPS if len(order) < LARGE else LARGE_SWEEPS
    for sweep in range(sweeps if stages else 0):
        for node in order if sweep % 2 else reversed(order):
            earliest = 1 + max(level[s] for s in graph.sources[node])
            latest = min((level[r] - 1 for r in readers[node]), default=last)
            level[node] = min(
                _candidates(earliest, latest, rows),
                key=lambda at, node=node: (
                    _waiting(graph, readers, level, ends, node, at, rows, stages),
                    at if sweep % 2 else -at,
                ),
            )
    return [max(at - 1, 0) // max(rows, 1) for at in level]


def _candidates(earliest: int, latest: int, rows: int) -> list[int]:
    """Return the first and last level of each stage within reach."""
    ends = {earliest, latest}
    for stage in range((earliest - 1) // rows, (latest - 1) // rows + 1):
        ends |= {max(earliest, stage * rows + 1), min(latest, (stage + 1) * rows)}
    return sorted(ends)


def _waiting(
    graph: LutGraph,
    readers: list[list[int]],
    level: list[int],
    ends: set[int],
    node: int,
    at: int,
    rows: int,
    stages: int,
) -> int:
    """Return the registers behind a node and its sources if it were at level ``at``."""

    def stage(other: int) -> int:
        return max((at if other == node else level[other]) - 1, 0) // rows

    total = 0
    for value in (node, *graph.sources[node]):
        until = max((stage(reader) for reader in readers[value]), default=stage(value))
        total += (stages if value in ends else until) - stage(value)
    return total


def registers(graph: LutGraph, roots: Sequence[int], stages: int, stage: Sequence[int]) -> int:
    """Return the number of registers that a schedule needs."""
    until = list(stage)
    for node, sources in enumerate(graph.sources):
        for source in sources:
            until[source] = max(until[source], stage[node])
    for root in roots:
        until[root] = stages
    return sum(max(0, end - start) for end, start in zip(until, stage, strict=True))
