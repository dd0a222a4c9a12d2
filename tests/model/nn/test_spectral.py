"""Penalties against an explicit Walsh transform."""

import itertools

import pytest
import torch

from lutformer.model.nn.training.spectral import influence, spectral_norm


def walsh(table: torch.Tensor, chosen: int) -> torch.Tensor:
    """Return the coefficient of the set of address bits ``chosen``."""
    signs = [(-1.0) ** (chosen & ~a).bit_count() for a in range(len(table))]
    return sum((s * x for s, x in zip(signs, table, strict=True)), torch.zeros(())) / len(table)


@pytest.mark.parametrize("fan_in", [1, 2, 4])
def test_they_weigh_walsh_coefficients(fan_in):
    torch.manual_seed(fan_in)
    tables = torch.randn(3, 1 << fan_in, dtype=torch.float64)
    pairs = list(itertools.product(tables, range(1 << fan_in)))
    energy = {(n, s): float(walsh(table, s)) ** 2 for n, (table, s) in enumerate(pairs)}
    assert float(spectral_norm(tables)) == pytest.approx(sum(energy.values()))
    weighted = sum(s.bit_count() * value for (_, s), value in energy.items())
    assert float(influence(tables)) == pytest.approx(weighted)


def test_influence_gives_an_unseen_entry_the_mean_of_its_neighbours():
    table = torch.tensor([[1.0, 0.5, 0.3, 0.0]], requires_grad=True)
    for _ in range(200):
        (grad,) = torch.autograd.grad(influence(table), table)
        with torch.no_grad():
            table[0, 3] -= grad[0, 3]
    assert float(table[0, 3].detach()) == pytest.approx((0.5 + 0.3) / 2, abs=1e-3)
