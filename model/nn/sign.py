"""Codes of signs, and the gradients that are put in place of the sign's own (Eq. 10)."""

from collections.abc import Callable

import torch
from torch import Tensor

from .quantizer import Ramp, straight_through

__all__ = ["ESTIMATORS", "sign_codes"]


def _polynomial(x: Tensor) -> Tensor:
    inside = x.clamp(-1, 1)
    return inside * (2 - inside.abs())


ESTIMATORS: dict[str, Callable[[Tensor], Tensor]] = {
    "hardtanh": lambda x: x.clamp(-1, 1),  # gradient 1 within [-1, 1], as BinaryAttention has it
    "identity": lambda x: straight_through(x.clamp(-1, 1), x),  # gradient 1 everywhere
    "tanh": torch.tanh,  # as HAD starts with
    "polynomial": _polynomial,  # gradient 2 - 2|x| within [-1, 1], as Bi-Real Net has it
}
"""Functions to [-1, 1] whose gradient stands for the sign's; ablation in docs/results.md."""


def sign_codes(x: Tensor, estimator: str, ramp: Ramp | None) -> Tensor:
    """Return codes in {-1, +1}; +1 for 0.

    Parameters
    ----------
    x : Tensor
    estimator : str
        Key of :data:`ESTIMATORS`.
    ramp : Ramp or None
        From the estimator's own values to their signs; None for signs from the start.
    """
    soft = ESTIMATORS[estimator](x)
    hard = torch.where(x >= 0, 1.0, -1.0)
    return straight_through(hard, soft) if ramp is None else ramp(soft, hard)
