"""The rows of the ablation of estimators are of the ways that they name."""

from dataclasses import replace

import pytest

from benchmarks.estimators import TASK, WEIGHTS, measure
from lutformer.model.data.images import load_data
from lutformer.model.nn.sign import ESTIMATORS


@pytest.fixture(scope="module")
def rows():
    digits = load_data("digits")
    part = {
        name: getattr(digits, name)[:64]
        for name in ("train_images", "train_labels", "test_images", "test_labels")
    }
    return list(measure(replace(TASK.train, epochs=3, warmup=1), 2, replace(digits, **part)))


def test_every_way_has_a_row_of_every_seed(rows):
    distilled = [f"hardtanh, distill={weight:g}" for weight in WEIGHTS]
    assert [row.way for row in rows] == ["teacher: float softmax", *ESTIMATORS, *distilled]
    for row in rows:
        assert row.mean == pytest.approx(sum(row.each) / 2)
        assert row.spread == pytest.approx(abs(row.each[0] - row.each[1]) / 2**0.5)


def test_ways_differ(rows):
    gaps = [row.divergence for row in rows[1:]]
    assert len(set(gaps)) == len(gaps)
    assert gaps[-1] < gaps[0]  # distilled is nearer to its teacher
