"""How a simulation is run, whatever it is of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .runner import Simulator, Waves

__all__ = ["SimulationOptions"]


@dataclass(frozen=True, kw_only=True)
class SimulationOptions:
    """How a simulation is run.

    Attributes
    ----------
    build_dir : Path
        Where everything is left.
    simulator : {"icarus", "verilator"}
    idle, stall : float
        How often the bench pauses between words of its input, and refuses those of the output; 0
        to below 1.
    waves : bool or "saif"
        Whether waves are recorded, or only how often each net changes.
    progress : callable
        Is told what is being done.
    """

    build_dir: Path
    simulator: Simulator = "verilator"
    idle: float = 0.0
    stall: float = 0.0
    waves: Waves = False
    progress: Callable[[str], None] = lambda _: None
