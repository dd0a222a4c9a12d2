"""When each instruction of a program ran in each engine, from the changes of watched wires."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..hdl.core.probes import EngineProbe, Probes, StreamWires
from ..hdl.lib.verilog import Wire
from ..hdl.transformer.program import Instruction
from .result import Profile, SimulationResult, Span

__all__ = ["profile", "profiled", "watched_wires"]

Cycles = NDArray[np.bool_]
"""Whether something holds, cycle by cycle."""


def watched_wires(probes: Probes) -> list[Wire]:
    """Return all wires of ``probes``, in the order in which a bench numbers them."""
    return [probes.busy, *(w for e in probes.engines.values() for s in _streams(e) for w in s)]


def profile(program: Sequence[Instruction], probes: Probes, changes: NDArray[np.int64]) -> Profile:
    """Return the timeline of the last run of ``program``.

    An engine works on an instruction from the first word that it takes in (or from when it takes
    its job, if it has no inputs that are watched), until its last word leaves.

    Parameters
    ----------
    program : sequence of Instruction
    probes : Probes
    changes : int64 [changes, 3]
        What :meth:`lutformer.sim.watch.Watch.stop` returned of :func:`watched_wires`.

    Raises
    ------
    AssertionError
        If an engine has taken more or fewer jobs than the program has.
    """
    levels = dict(zip(watched_wires(probes), _levels(changes), strict=True))
    busy = np.flatnonzero(levels[probes.busy])
    breaks = np.flatnonzero(np.diff(busy) > 1)
    start, end = int(busy[breaks[-1] + 1 if len(breaks) else 0]), int(busy[-1]) + 1
    run = {wire: level[start:end] for wire, level in levels.items()}
    spans: list[Span] = []
    for name, probe in probes.engines.items():
        parts = [getattr(step, probe.field) for step in program]
        names = [
            step.name
            for step, part in zip(program, parts, strict=True)
            if part is not None and part is not False
        ]
        worked = list(_worked(probe, run))
        assert len(worked) == len(names), f"{name} took {len(worked)} jobs of {len(names)}"
        spans += [Span(name, *one) for one in zip(names, *zip(*worked, strict=True), strict=True)]
    return Profile(cycles=end - start, spans=tuple(spans))


def profiled(
    result: SimulationResult,
    program: Sequence[Instruction],
    probes: Probes | None,
    changes: NDArray[np.int64],
) -> SimulationResult:
    """Return ``result`` with the profile of the watched wires, if any."""
    if probes is None:
        return result
    return replace(result, profile=profile(program, probes, changes))


def _worked(probe: EngineProbe, run: dict[Wire, Cycles]) -> Iterator[tuple[int, int]]:
    """Yield from when to when an engine worked on each of its jobs."""
    taken = np.flatnonzero(_moves(probe.job, run)).tolist()
    cycles = len(run[probe.job[0]])
    came, left = _any(probe.inputs, run, cycles), _any(probe.outputs, run, cycles)
    offered, free = run[probe.job[0]], 0
    for take, following in zip(taken, [*taken[1:], cycles], strict=True):
        if not probe.outputs:  # it takes the job when it has done it
            waits = np.flatnonzero(~offered[free:take])
            start, end = free + (int(waits[-1]) + 1 if len(waits) else 0), take + 1
        else:
            first = np.flatnonzero(came[free:following])
            last = np.flatnonzero(left[take:following])
            start = free + int(first[0]) if len(first) else take
            end = take + int(last[-1]) + 1 if len(last) else take + 1
        yield start, end
        free = end


def _moves(stream: StreamWires, run: dict[Wire, Cycles]) -> Cycles:
    valid, ready = stream
    return run[valid] & run[ready]


def _any(streams: Sequence[StreamWires], run: dict[Wire, Cycles], cycles: int) -> Cycles:
    moves = [_moves(stream, run) for stream in streams]
    return np.logical_or.reduce(moves) if moves else np.zeros(cycles, bool)


def _streams(probe: EngineProbe) -> Iterator[StreamWires]:
    yield probe.job
    yield from probe.inputs
    yield from probe.outputs


def _levels(changes: NDArray[np.int64]) -> list[Cycles]:
    """Return the level of each wire in each cycle."""
    cycles = np.arange(changes[:, 1].min(), changes[:, 1].max() + 1)
    levels = []
    for number in range(changes[:, 0].max() + 1):
        mine = changes[changes[:, 0] == number]
        levels.append(mine[np.searchsorted(mine[:, 1], cycles, "right") - 1, 2] != 0)
    return levels
