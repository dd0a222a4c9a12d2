"""EcoFormer's published figures, from the shapes of its networks.

Published are (README of the released code, ImageNet-1K, 224 x 224) multiplications, additions in
billions and energy in billions of pJ.
"""

import pytest

from lutformer.model.costs.published_energy import (
    HEADS,
    PVT,
    SIDES,
    FloatCost,
    ecoformer_energy,
    msa_energy,
    pvt_energy,
)

PUBLISHED = {
    "B0": (0.54, 0.56, 2.5),
    "B1": (2.03, 2.09, 9.4),
    "B2": (3.85, 3.97, 17.8),
    "B3": (6.54, 6.75, 30.25),
    "B4": (9.57, 9.82, 44.25),
}


def digits(cost: FloatCost, places: int) -> tuple[float, float, float]:
    return (
        round(cost.multiplications / 1e9, 2),
        round(cost.additions / 1e9, 2),
        round(cost.pj / 1e9, places),
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_ecoformer_is_as_published(name):
    found = digits(pvt_energy(PVT[name], ecoformer=True), 2 if name in ("B3", "B4") else 1)
    if name == "B3":
        # 6.75 is published where 6.72 is counted; the energy published beside it, 30.25, is that
        # of 6.72 (6.75 would make it 30.28), so the table has a slip.
        assert found == (6.54, 6.72, 30.25)
    else:
        assert found == PUBLISHED[name]


def test_every_operation_of_b0():
    found = pvt_energy(PVT["B0"], ecoformer=True)
    assert (found.multiplications, found.additions) == (535_392_840, 564_786_176)


def test_softmax_attention_costs_what_the_saving_says():
    """73 % less is published; the row of softmax attention itself is counted here."""
    eco, msa = pvt_energy(PVT["B0"], ecoformer=True), pvt_energy(PVT["B0"], ecoformer=False)
    assert round(100 * (1 - eco.pj / msa.pj)) == 73
    assert digits(msa, 2) == (2.02, 1.99, 9.25)


def test_exchanging_the_attention_alone_is_not_enough():
    """2.00 and 9.2 result from the rounded figures, 0.54 and 2.5, if it is forgotten that softmax
    projects queries and keys apart.
    """
    mul, pj = 0.54e9, 2.5e9
    for side, dim, heads in zip(SIDES[:3], PVT["B0"].dims, HEADS, strict=False):
        soft, binary = (f(side * side, dim, heads) for f in (msa_energy, ecoformer_energy))
        mul += 2 * (soft.multiplications - binary.multiplications)
        pj += 2 * (soft.pj - binary.pj)
    assert (round(mul / 1e9, 2), round(pj / 1e9, 1)) == (2.00, 9.2)


def test_a_layer_by_hand():
    # 2 tokens, 2 heads of 3 columns, 4 bits, 5 anchors.
    assert msa_energy(2, 6, 2) == FloatCost(2 * 4 * 6 + 2 * 4, 2 * 4 * 6)
    found = ecoformer_energy(2, 6, 2, bits=4, anchors=5)
    assert found == FloatCost(4 * (10 + 20 + 4 + 1 + 3), 4 * (30 + 20 + 8 + 24 + 3))
    assert FloatCost(10, 100).pj == pytest.approx(37 + 90)
