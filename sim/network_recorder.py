"""Recorder of a vision transformer's residual stream."""

from typing import Any

from amaranth.hdl import Module, Signal

from ..model.arithmetic import RESIDUAL_BITS
from .recorder import Record, Recorder, Watched

__all__ = ["NetworkRecorder"]


class NetworkRecorder(Recorder):
    """The core of :class:`~.accelerator.Accelerator`; see :class:`Recorder`.

    Records are ``linear`` and ``mlp``, the values of each writer.

    Parameters
    ----------
    linear_values, mlp_values : int
        Values of an inference.
    """

    def __init__(self, *, linear_values: int, mlp_values: int) -> None:
        sizes = {"linear": linear_values, "mlp": mlp_values}
        super().__init__({n: Record(width=RESIDUAL_BITS, values=v) for n, v in sizes.items()})

    def watch(self, m: Module) -> tuple[dict[str, Any], dict[str, Watched]]:
        written = Signal(2 + RESIDUAL_BITS)  # valid, mlp, value
        watched = {
            name: Watched(valid=written[0] & (written[1] == (name == "mlp")), value=written[2:])
            for name in self.records
        }
        return {"o_written": written}, watched
