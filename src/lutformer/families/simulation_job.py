"""What of a build directory is simulated."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

__all__ = ["SimulationJob"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulationJob:
    """Verilog, and what it is to compute.

    Attributes
    ----------
    verilog : Path
    plan : BoardPlan
        That it was made by.
    core : bool
        Whether it holds the core alone, without its board top.
    inputs : array [inputs, ...]
        As the network reads them.
    count : int
        Inferences to run.
    """

    verilog: Path
    plan: Any
    core: bool
    inputs: NDArray[Any]
    count: int
