"""The MLP of a block, whatever it is made of."""

from functools import singledispatch
from typing import Any

from numpy.typing import ArrayLike, NDArray

from .storage.part import Part

__all__ = ["Mlp", "mlp"]


class Mlp(Part):
    """One MLP."""

    @property
    def width(self) -> int:
        """D, channels of the residual stream."""
        raise NotImplementedError


@singledispatch
def mlp(layer: Mlp, x: ArrayLike, shift: int) -> dict[str, NDArray[Any]]:
    """Return every integer of an MLP by name, the residual ``increment`` last.

    Parameters
    ----------
    layer : Mlp
    x : int8 [..., n, D]
        Normalised tokens.
    shift : int
        s of Eq. 2.
    """
    raise TypeError(f"{type(layer).__name__} is no MLP")
