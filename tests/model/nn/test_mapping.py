"""Wiring: what it reads, and the gradients of its choice by their definition."""

import itertools
from typing import Any

import pytest
import torch

from lutformer.model.nn.mapping import MAPPINGS, CandidateMapping, LearnedMapping

INPUTS, LUTS, FAN_IN, CANDIDATES, SAMPLES = 7, 4, 3, 5, 6


def mapping_of(kind: str) -> Any:
    torch.manual_seed(len(kind))
    return MAPPINGS[kind](INPUTS, LUTS, FAN_IN, CANDIDATES).double()


def rows_of(grad: bool = True) -> torch.Tensor:
    rows = torch.randint(0, 2, (INPUTS, SAMPLES), generator=torch.Generator().manual_seed(1))
    return rows.double().requires_grad_(grad)


@pytest.mark.parametrize("kind", MAPPINGS)
def test_it_reads_its_wires(kind):
    mapping, rows = mapping_of(kind), rows_of(False)
    picked = mapping(rows)
    assert picked.shape == (FAN_IN, LUTS, SAMPLES)
    for slot, table in itertools.product(range(FAN_IN), range(LUTS)):
        assert torch.equal(picked[slot, table], rows[int(mapping.wiring()[table, slot])])


@pytest.mark.parametrize(("kind", "equal"), [("random", False), ("shared", True)])
def test_layers_of_one_shape_share_their_wiring(kind, equal):
    torch.manual_seed(5)
    first, second = (MAPPINGS[kind](INPUTS, LUTS, FAN_IN, 8).wiring() for _ in range(2))
    assert torch.equal(first, second) == equal
    torch.manual_seed(6)
    assert not torch.equal(MAPPINGS[kind](INPUTS, LUTS, FAN_IN, 8).wiring(), first)


def choices(mapping: LearnedMapping) -> torch.Tensor:
    """Return the input behind each weight, [choices, N, n]."""
    if isinstance(mapping, CandidateMapping):
        return mapping.candidates
    return torch.arange(INPUTS)[:, None, None].expand(mapping.weights.shape)


@pytest.mark.parametrize("kind", ["learnable", "candidates"])
def test_wire_is_the_choice_of_largest_weight(kind):
    mapping = mapping_of(kind)
    with torch.no_grad():
        mapping.weights.fill_(0.5)
        mapping.weights[3] = 2.0
        mapping.weights[4] = 2.0  # ties go to the first
    assert torch.equal(mapping.wiring(), choices(mapping)[3])


@pytest.mark.parametrize("kind", ["learnable", "candidates"])
def test_gradient_of_a_choice_is_the_correlation_with_its_input(kind):
    mapping, rows = mapping_of(kind), rows_of()
    out = mapping(rows)
    grad = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    out.backward(grad)
    expected = torch.zeros_like(mapping.weights)
    expected_rows = torch.zeros_like(rows)
    share = (mapping.weights.detach() / 1e-3).softmax(0)
    for place, table, slot in itertools.product(range(len(expected)), range(LUTS), range(FAN_IN)):
        wire = choices(mapping)[place, table, slot]
        signs = 2 * rows.detach()[wire] - 1
        expected[place, table, slot] = (signs * grad[slot, table]).sum()
        expected_rows[wire] += share[place, table, slot] * grad[slot, table]
    assert torch.allclose(mapping.weights.grad, expected)
    assert rows.grad is not None
    assert torch.allclose(rows.grad, expected_rows)


@pytest.mark.parametrize("kind", ["learnable", "candidates"])
def test_wiring_that_does_not_learn_reads_the_same_and_has_no_gradient(kind):
    mapping, rows = mapping_of(kind), rows_of()
    mapping(rows).sum().backward()
    with torch.no_grad():
        mapping.weights.add_(torch.rand_like(mapping.weights))
    learning = mapping(rows)
    mapping.weights.grad = rows.grad = None
    mapping.learning = False
    kept = mapping(rows)
    assert torch.equal(kept, learning)
    kept.sum().backward()
    assert mapping.weights.grad is None
    assert rows.grad is not None


def test_there_are_no_more_candidates_than_inputs():
    assert CandidateMapping(3, LUTS, FAN_IN, 8).candidates.shape == (3, LUTS, FAN_IN)
