"""What all MLP engines have in common."""

from amaranth.hdl import ShapeLike, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Member, Out

from ...model.arithmetic import ACTIVATION_BITS
from ..lib.engine import Engine
from ..lib.memory import ReadPort

__all__ = ["MlpEngine"]


class MlpEngine(Engine):
    """Compute the MLPs of all blocks, or their part between two matrices.

    Parameters
    ----------
    layers : int
    o : ShapeLike
    weights : wiring.Signature or None
        What reads weights that lie in a memory outside.

    Members
    -------
    weights : Out(weights)
        None if there are none outside.
    job : In(stream.Signature(range(layers + 1)))
        Layer of the tokens.
    i : In(stream.Signature(signed(8)))
        Of each token: its channels, or hidden values.
    o : Out(stream.Signature(o))
        Of each token: its increments, or activated values.
    """

    i: stream.Interface
    weights: ReadPort | None

    def __init__(self, layers: int, o: ShapeLike, weights: wiring.Signature | None = None) -> None:
        ports: dict[str, Member] = {} if weights is None else {"weights": Out(weights)}
        ports["i"] = In(stream.Signature(signed(ACTIVATION_BITS)))
        super().__init__(layers, o, ports)
        if weights is None:
            self.weights = None
