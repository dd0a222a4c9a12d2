"""Penalties on the Walsh spectrum of lookup tables, against overfitting.

A real table of n inputs is the sum of ``c_S * product_{l in S} (2 a_l - 1)`` over the sets S of
address bits; ``c = L C`` with ``C[a, S] = 2**-n * product_{l in S} (2 a_l - 1)``.
"""

from torch import Tensor

__all__ = ["influence", "spectral_norm"]


def spectral_norm(tables: Tensor) -> Tensor:
    """Return the sum of ``c_S ** 2`` over all tables [N, 2**n]: DWN's spectral regularisation.

    The rows of C are orthogonal, so that it is ``2**-n`` times the sum of the squared entries
    (Parseval), and no transform is needed.
    """
    return tables.square().sum() / tables.shape[1]


def influence(tables: Tensor) -> Tensor:
    """Return the sum of ``|S| * c_S ** 2``: entries are drawn to their neighbours (ours).

    It is the mean square of half the difference that one address bit makes, summed over the bits.
    """
    total = tables.new_zeros(())
    for place in range(tables.shape[1].bit_length() - 1):
        pairs = tables.view(len(tables), -1, 2, 1 << place)
        total = total + (pairs[:, :, 1] - pairs[:, :, 0]).square().sum()
    return total / (2 * tables.shape[1])
