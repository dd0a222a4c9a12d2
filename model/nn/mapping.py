"""Which input bit drives each address bit of a layer of lookup tables: fixed, or learned.

A mapping of N tables of n inputs takes rows [inputs, samples] to [n, N, samples]. What is learned
is a choice; its gradient is straight-through (DWN, arXiv 2410.11112): an input is worth the
correlation of its bit, as -1 or 1, with the gradient of the address bit that it would drive.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "MAPPINGS",
    "CandidateMapping",
    "FixedMapping",
    "LearnableMapping",
    "LearnedMapping",
    "Mapping",
    "balanced_mapping",
]

TAU = 1e-3
"""Temperature of the softmax by which gradients return to the inputs of a choice."""


def balanced_mapping(
    inputs: int, luts: int, fan_in: int, random: torch.Generator | None = None
) -> Tensor:
    """Return random wiring [luts, fan_in] that uses every input before it uses one again."""
    needed = luts * fan_in
    rounds = -(-needed // inputs)
    order = torch.cat([torch.randperm(inputs, generator=random) for _ in range(rounds)])
    return order[:needed].reshape(luts, fan_in)


class Mapping(nn.Module):
    """Base of all mappings."""

    def wiring(self) -> Tensor:
        """Return the input that drives each address bit by now, [N, n]."""
        raise NotImplementedError

    def forward(self, rows: Tensor) -> Tensor:
        """Return the rows [inputs, samples] that drive each address bit, [n, N, samples]."""
        raise NotImplementedError


def _pick(rows: Tensor, wires: Tensor) -> Tensor:
    return rows.index_select(0, wires.T.flatten()).view(*wires.T.shape, -1)


class FixedMapping(Mapping):
    """Wiring that stays: at random, every input equally often.

    ``shared``, it depends on nothing but the shape and the seed of the training. Layers of several
    blocks then have it in common, and hardware needs it once.
    """

    def __init__(self, inputs: int, luts: int, fan_in: int, *, shared: bool = False) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(torch.initial_seed()) if shared else None
        self.wires: Tensor
        self.register_buffer("wires", balanced_mapping(inputs, luts, fan_in, random))

    def wiring(self) -> Tensor:
        return self.wires

    def forward(self, rows: Tensor) -> Tensor:
        return _pick(rows, self.wires)


class LearnedMapping(Mapping):
    """Base of wiring that is chosen by weights.

    Attributes
    ----------
    weights : nn.Parameter
    learning : bool
        Whether the next forward is to have a gradient for the weights; without, it is cheaper.
    """

    weights: nn.Parameter
    learning = True
    _chosen: Tensor | None = None

    def choose(self, rows: Tensor) -> Tensor:
        """Do forward with a gradient for the weights."""
        raise NotImplementedError

    def forward(self, rows: Tensor) -> Tensor:
        if self.learning:
            self._chosen = None  # the weights are about to change
            return self.choose(rows)
        if self._chosen is None:
            self._chosen = self.wiring()
        return _pick(rows, self._chosen)


class _Choose(torch.autograd.Function):
    """Each address bit reads the input of largest weight [inputs, N, n]."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weights)
        return _pick(rows, weights.argmax(0))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor]:  # type: ignore[override]
        rows, weights = ctx.saved_tensors
        flat = grad.transpose(0, 1).flatten(0, 1)  # [N * n, samples]
        worth = ((2 * rows - 1) @ flat.T).view_as(weights)
        if not ctx.needs_input_grad[0]:
            return None, worth
        return (weights / TAU).softmax(0).flatten(1) @ flat, worth


class LearnableMapping(LearnedMapping):
    """Each address bit chooses among all inputs."""

    def __init__(self, inputs: int, luts: int, fan_in: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.rand(inputs, luts, fan_in))

    def wiring(self) -> Tensor:
        return self.weights.detach().argmax(0)

    def choose(self, rows: Tensor) -> Tensor:
        return _Choose.apply(rows, self.weights)  # type: ignore[return-value]


class _ChooseCandidate(torch.autograd.Function):
    """Each address bit reads the one of its candidates [k, N, n] of largest weight [k, N, n]."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weights: Tensor, candidates: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weights, candidates)
        return _pick(rows, candidates.gather(0, weights.argmax(0, keepdim=True))[0])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor, None]:  # type: ignore[override]
        rows, weights, candidates = ctx.saved_tensors
        worth = _correlations(2 * rows - 1, candidates, grad)
        if not ctx.needs_input_grad[0]:
            return None, worth, None
        grad_rows = torch.zeros_like(rows)
        for wires, share in zip(candidates, (weights / TAU).softmax(0), strict=True):
            grad_rows.index_add_(0, wires.T.flatten(), (grad * share.T[..., None]).flatten(0, 1))
        return grad_rows, worth, None


def _correlations(signs: Tensor, candidates: Tensor, grad: Tensor) -> Tensor:
    """Return the scalar product of each candidate's row with its address bit's gradient.

    That is what the weights of an embedding bag have as gradient, and there it is computed without
    an intermediate [k, n, N, samples].
    """
    bags = candidates.flatten(1).T.contiguous()  # [N * n, k]
    with torch.enable_grad():
        weights = torch.zeros_like(bags, dtype=signs.dtype, requires_grad=True)
        sums = functional.embedding_bag(bags, signs, per_sample_weights=weights, mode="sum")
    (worth,) = torch.autograd.grad(sums, weights, grad.transpose(0, 1).flatten(0, 1))
    return worth.T.reshape(candidates.shape)


class CandidateMapping(LearnedMapping):
    """Each address bit chooses among k inputs of its own, drawn at random.

    Its cost does not grow with the number of inputs as that of a choice among all does.
    """

    def __init__(self, inputs: int, luts: int, fan_in: int, candidates: int) -> None:
        super().__init__()
        drawn = [balanced_mapping(inputs, luts, fan_in) for _ in range(min(candidates, inputs))]
        self.candidates: Tensor
        self.register_buffer("candidates", torch.stack(drawn))
        self.weights = nn.Parameter(torch.rand(len(drawn), luts, fan_in))

    def wiring(self) -> Tensor:
        best = self.weights.detach().argmax(0, keepdim=True)
        return self.candidates.gather(0, best)[0]

    def choose(self, rows: Tensor) -> Tensor:
        return _ChooseCandidate.apply(rows, self.weights, self.candidates)  # type: ignore[return-value]


MAPPINGS: dict[str, Callable[[int, int, int, int], Mapping]] = {
    "random": lambda inputs, luts, fan_in, candidates: FixedMapping(inputs, luts, fan_in),
    "shared": lambda inputs, luts, fan_in, candidates: FixedMapping(
        inputs, luts, fan_in, shared=True
    ),
    "learnable": lambda inputs, luts, fan_in, candidates: LearnableMapping(inputs, luts, fan_in),
    "candidates": CandidateMapping,
}
"""By the names that a configuration uses; called with inputs, N, n and k."""
