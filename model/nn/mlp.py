"""What every MLP has in common in training, twin of ``model/mlp.py``."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from .. import mlp as golden

__all__ = ["Mlp"]


class Mlp(nn.Module, ABC):
    """Normalised tokens in, residual increments out."""

    @abstractmethod
    def integers(self, x: Tensor, shift: int) -> dict[str, Tensor]:
        """Return every integer by its name in the golden run, ``increment`` last.

        ``x`` are int64 tokens [..., n, D], ``shift`` is s of Eq. 2.
        """

    @abstractmethod
    def export(self, shift: int) -> golden.Mlp:
        """Return the integer layer."""
