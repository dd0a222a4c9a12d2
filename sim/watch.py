"""When wires of a simulated core change: for benches, which see all cycles but stop at few."""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.utils import get_sim_time
from numpy.typing import NDArray

__all__ = ["Watch"]


class Watch:
    """Record every change of some wires of one bit, from now until :meth:`stop`.

    Parameters
    ----------
    core : cocotb handle
        Module in which the wires are.
    wires : sequence of paths
        Instances below ``core``, and a wire in the last of them.
    period_ns : int
        Of the clock, whose cycles begin at its multiples.

    Raises
    ------
    AssertionError
        If there is no such wire.
    """

    def __init__(self, core: Any, wires: Sequence[Sequence[str]], period_ns: int) -> None:
        self.period_ns = period_ns
        self.changes: list[tuple[int, int, int]] = []
        handles = [_find(core, wire) for wire in wires]
        self._tasks = [
            cocotb.start_soon(self._follow(number, handle)) for number, handle in enumerate(handles)
        ]

    async def _follow(self, number: int, handle: Any) -> None:
        while True:
            cycle = int(get_sim_time("ns")) // self.period_ns
            self.changes.append((number, cycle, int(handle.value)))
            await handle.value_change

    def stop(self) -> NDArray[np.int64]:
        """Return a row for each change: number of the wire, cycle from which it holds, value.

        Of several rows with the same wire and cycle, the last one holds.
        """
        for task in self._tasks:
            task.cancel()
        return np.array(self.changes, np.int64).reshape(-1, 3)


def _find(core: Any, wire: Sequence[str]) -> Any:
    handle = core
    for part in wire:
        found = (_child(handle, name) for name in (part, f"\\{part} "))  # Verilator: escaped
        handle = next((child for child in found if child is not None), None)
        if handle is None:
            raise AssertionError(
                f"The core has no wire {'.'.join(wire)!r}: the Verilog is of another version; "
                "run `lutformer generate`"
            )
    return handle


def _child(handle: Any, name: str) -> Any:
    try:
        return handle[name]
    except (KeyError, AttributeError):
        return None
