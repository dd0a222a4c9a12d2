"""The MLP of a block, whatever it is made of."""

from functools import singledispatch
from typing import Any

from numpy.typing import ArrayLike, NDArray

from .storage.part import Part

__all__ = ["mlp"]


@singledispatch
def mlp(layer: Part, x: ArrayLike, shift: int) -> dict[str, NDArray[Any]]:
    """Return every integer of an MLP by name, the residual ``increment`` last.

    Parameters
    ----------
    layer : WeightlessMlp or GeluMlp
    x : int8 [..., n, D]
        Normalised tokens.
    shift : int
        s of Eq. 2.
    """
    raise TypeError(f"{type(layer).__name__} is no MLP")
