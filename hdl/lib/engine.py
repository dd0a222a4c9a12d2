"""What all engines of a transformer block have in common: jobs, and a stream that leaves."""

from collections.abc import Mapping

from amaranth.hdl import Module, ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Member, Out

__all__ = ["Engine"]


class Engine(wiring.Component):
    """One engine that serves the same part of every block, a job at a time.

    Parameters
    ----------
    layers : int
        Layers that it serves, one a block.
    o : ShapeLike
        Of the elements that it gives out.
    inputs : mapping of str to Member
        The other ports.

    Members
    -------
    job : In(stream.Signature(range(layers + 1)))
        Layer that what comes next goes through.
    o : Out(stream.Signature(o))
        Of each token: the elements of the result.
    """

    job: stream.Interface
    o: stream.Interface

    def __init__(self, layers: int, o: ShapeLike, inputs: Mapping[str, Member]) -> None:
        super().__init__(
            {
                "job": In(stream.Signature(range(layers + 1))),
                **inputs,
                "o": Out(stream.Signature(o)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the circuit."""
        raise NotImplementedError
