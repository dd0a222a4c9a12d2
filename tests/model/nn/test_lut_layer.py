"""Trainable lookup tables: the function, and both surrogate gradients by their definitions."""

import itertools

import pytest
import torch

from lutformer.model.nn.lut_layer import LutLayer
from lutformer.model.nn.mapping import balanced_mapping
from lutformer.model.nn.surrogate import SURROGATES


def multilinear(table: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
    """Interpolate a table of 2**n entries at a point of [0, 1]**n, bit 0 first."""
    total = torch.zeros((), dtype=table.dtype)
    for a in range(len(table)):
        weight = torch.ones((), dtype=table.dtype)
        for place, x in enumerate(point):
            weight = weight * (x if a >> place & 1 else 1 - x)
        total = total + weight * table[a]
    return total


@pytest.mark.parametrize("fan_in", [1, 2, 4])
def test_exponential_is_half_the_slope_of_the_multilinear_extension(fan_in):
    torch.manual_seed(fan_in)
    tables = torch.randn(2, 1 << fan_in, dtype=torch.float64)
    found = SURROGATES["exponential"].slopes(tables)
    for a in range(1 << fan_in):
        near = [0.75 if a >> place & 1 else 0.25 for place in range(fan_in)]
        for n, table in enumerate(tables):
            point = torch.tensor(near, dtype=torch.float64, requires_grad=True)
            (expected,) = torch.autograd.grad(multilinear(table, point), point)
            assert torch.allclose(found[:, n, a], expected / 2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("fan_in", [1, 3, 4, 6])
def test_exponential_is_the_form_of_the_release(fan_in):
    """Weights 0.5 * 0.75**(n-1) * (1/3)**H over the Hamming distance H of the other bits."""
    torch.manual_seed(fan_in)
    tables = torch.randn(1, 1 << fan_in, dtype=torch.float64)
    table, found = tables[0].tolist(), SURROGATES["exponential"].slopes(tables)[:, 0].tolist()
    for bit, a in itertools.product(range(fan_in), range(1 << fan_in)):
        expected = 0.0
        for other in range(1 << fan_in):
            distance = ((a ^ other) & ~(1 << bit)).bit_count()
            sign = 1 if other >> bit & 1 else -1
            expected += sign * table[other] * 0.5 * 0.75 ** (fan_in - 1) / 3**distance
        assert abs(found[bit][a] - expected) < 1e-12


@pytest.mark.parametrize("fan_in", [1, 4])
def test_fd_is_the_difference_of_two_entries(fan_in):
    table = torch.randn(1 << fan_in, dtype=torch.float64)
    found = SURROGATES["fd"].slopes(table[None])[:, 0]
    for bit, a in itertools.product(range(fan_in), range(1 << fan_in)):
        expected = table[a | 1 << bit] - table[a & ~(1 << bit)]
        assert torch.isclose(found[bit, a], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("fan_in", [1, 2, 4, 6])
def test_efd_weighs_by_distance_and_its_weights_sum_to_one(fan_in):
    """A table that counts its address bit alone has a slope of 1 whatever the weights."""
    others = [sum(a >> p & 1 for p in range(1, fan_in)) for a in range(1 << fan_in)]
    step = torch.tensor([float(a & 1) for a in range(1 << fan_in)])
    found = SURROGATES["efd"].slopes(step[None].double())
    assert torch.allclose(found[0], torch.ones(()).double())
    table = torch.randn(1 << fan_in, dtype=torch.float64)
    slopes = SURROGATES["efd"].slopes(table[None])[0, 0]
    differences = [table[a | 1] - table[a & ~1] for a in range(1 << fan_in)]
    expected = sum(
        d / (h + 1) for a, (d, h) in enumerate(zip(differences, others, strict=True)) if a & 1
    )
    assert torch.isclose(slopes[0], expected * fan_in / (2**fan_in - 1))


def test_hybrid_is_the_difference_of_probabilities():
    tables = torch.randn(3, 8, dtype=torch.float64, requires_grad=True)
    level = torch.sigmoid(4 * tables)
    found = SURROGATES["hybrid"].slopes(tables)
    assert torch.allclose(found[1, :, 5], level[:, 7] - level[:, 5])
    (grad,) = torch.autograd.grad(level.sum(), tables)
    assert torch.allclose(SURROGATES["hybrid"].entry_slopes(tables), grad)


@pytest.mark.parametrize("surrogate", SURROGATES)
def test_backward_sends_each_slope_to_the_bit_it_belongs_to(surrogate):
    torch.manual_seed(3)
    layer = LutLayer(5, 7, 3, surrogate).double()
    bits = torch.randint(0, 2, (4, 2, 5)).double().requires_grad_()
    out = layer(bits)
    grad = torch.randn_like(out)
    out.backward(grad)

    expected_bits = torch.zeros_like(bits)
    expected_tables = torch.zeros_like(layer.tables)
    table_slopes = SURROGATES[surrogate].slopes(layer.tables.detach())
    for i, j, n in itertools.product(range(4), range(2), range(7)):
        wires = layer.mapping.wiring()[n].tolist()
        address = sum(int(bits[i, j, wire]) << place for place, wire in enumerate(wires))
        assert out[i, j, n] == (layer.tables[n, address] > 0)
        slope = SURROGATES[surrogate].entry_slopes(layer.tables.detach())
        expected_tables[n, address] += grad[i, j, n] * slope.expand_as(layer.tables)[n, address]
        for place, wire in enumerate(wires):
            expected_bits[i, j, wire] += grad[i, j, n] * table_slopes[place, n, address]
    assert bits.grad is not None
    assert layer.tables.grad is not None
    assert torch.allclose(bits.grad, expected_bits, rtol=0, atol=1e-12)
    assert torch.allclose(layer.tables.grad, expected_tables, rtol=0, atol=1e-12)


def test_entry_of_zero_is_a_zero_bit():
    layer = LutLayer(1, 1, 1)
    with torch.no_grad():
        layer.tables.copy_(torch.tensor([[0.0, 1e-30]]))
    assert layer(torch.tensor([[0.0], [1.0]])).tolist() == [[0.0], [1.0]]
    assert layer.integers(torch.tensor([[0], [1]])).tolist() == [[0], [1]]


def test_address_bit_0_is_the_least_significant():
    layer = LutLayer(2, 1, 2)
    with torch.no_grad():
        layer.mapping.wiring().copy_(torch.tensor([[0, 1]]))
        layer.tables.copy_(torch.tensor([[-1.0, 1.0, -1.0, -1.0]]))  # only address 1
    bits = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]])
    assert layer.integers(bits).flatten().tolist() == [0, 1, 0, 0]
    assert layer(bits.float()).flatten().tolist() == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(("inputs", "luts", "fan_in"), [(96, 256, 4), (7, 5, 3), (50, 4, 6)])
def test_mapping_is_balanced(inputs, luts, fan_in):
    mapping = balanced_mapping(inputs, luts, fan_in)
    assert mapping.shape == (luts, fan_in)
    uses = torch.bincount(mapping.flatten(), minlength=inputs)
    assert int(uses.max() - uses.min()) <= 1
