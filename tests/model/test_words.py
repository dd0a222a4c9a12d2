"""Thresholds and the words that they are compared with."""

import numpy as np
import pytest

from lutformer.model.data.encoding import ENCODINGS, distributive, gaussian, uniform
from lutformer.model.data.images import DataError
from lutformer.model.network.words import encoder_of, grid_encoder
from lutformer.model.thermometer import thermometer


def real_bits(thresholds: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return (rows[:, :, None] > thresholds).reshape(len(rows), -1)


def test_uniform_cuts_the_range():
    assert uniform(np.array([[0.0, -1], [8, 1], [2, 0]]), 3).tolist() == [[2, 4, 6], [-0.5, 0, 0.5]]


def test_gaussian_cuts_a_normal():
    rows = np.array([[-1.0], [0], [1]])
    assert gaussian(rows, 1) == pytest.approx(np.array([[0.0]]))
    assert gaussian(rows, 3) == pytest.approx(np.array([[-0.67449, 0, 0.67449]]), abs=1e-5)


def test_distributive_cuts_the_sorted_rows():
    """The example of ten rows and three bits: indices 2, 5 and 7."""
    rows = np.arange(10.0)[::-1, None]
    assert distributive(rows, 3).tolist() == [[2, 5, 7]]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("scale", [1e-6, 0.01, 1.0, 3e4])
@pytest.mark.parametrize("offset", [0.0, -2.0])
def test_words_separate_as_real_numbers_do(encoding, scale, offset):
    rng = np.random.default_rng(3)
    rows = np.round(rng.random((60, 4)) * 50) / 50 * scale + offset * scale
    thresholds = ENCODINGS[encoding](rows[:40], 3)
    encoder = encoder_of(thresholds, rows)
    bits = thermometer(encoder, encoder.words(rows))
    assert (bits == real_bits(thresholds, rows)).all()
    assert encoder.signed == (encoder.thresholds.min() < 0)
    coarser = np.floor(np.ldexp(rows, encoder.fraction - 1))
    same = (coarser[:, None] == coarser)[..., None]
    bits = rows[..., None] > thresholds
    assert (same & (bits[:, None] != bits)).any(), "fewer fractional bits would do"


@pytest.mark.parametrize(
    ("thresholds", "values", "bits", "fraction"),
    [
        ([3, 7, 11], range(17), 2, -2),  # 12 and more are one word
        ([3, 8, 11], range(17), 4, 0),
        ([3.5, 7.5, 11.5], range(0, 17, 4), 2, -2),
        ([127], range(256), 1, -7),  # its top bit
        ([0.1, 0.6], [0.25, 0.5, 0.75], 2, 2),  # below 0.25 and 0.75
        ([-2], range(-4, 4), 2, 0),
    ],
)
def test_words_are_no_wider_than_needed(thresholds, values, bits, fraction):
    rows = np.array(values, float)[:, None]
    encoder = encoder_of(np.array([thresholds], float), rows)
    assert (encoder.bits, encoder.fraction) == (bits, fraction)
    assert (
        thermometer(encoder, encoder.words(rows)) == real_bits(np.array([thresholds]), rows)
    ).all()


def test_forced_width_moves_thresholds_to_the_nearest_word():
    encoder = encoder_of(np.array([[4.0, 8.0, 12.0]]), np.arange(17.0)[:, None], bits=2)
    assert (encoder.bits, encoder.fraction, encoder.thresholds.tolist()) == (2, -2, [[0, 1, 2]])
    bits = thermometer(encoder, encoder.words([[3], [4], [8], [16]]))
    assert bits.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_values_too_close_for_any_word_get_the_finest():
    encoder = encoder_of(np.array([[0.0, 1e6]]), np.array([[0.0], [1e-9], [2e6]]))
    assert encoder.bits == 32
    assert thermometer(encoder, encoder.words([[2e6]])).tolist() == [[1, 1]]


def test_grid_of_the_thresholds():
    encoder = grid_encoder(np.array([[0.25, 0.5], [-0.125, 1.0]]))
    assert (encoder.fraction, encoder.bits, encoder.signed) == (3, 5, True)
    with pytest.raises(DataError, match=r"^The thresholds lie on no grid that 32 bits could hold"):
        grid_encoder(np.array([[1 / 3, 1e9]]))
    with pytest.raises(DataError, match=r"^No words of 1 bits can hold thresholds of this size$"):
        encoder_of(np.array([[0.0, 1e30]]), np.zeros((1, 1)), bits=1)


@pytest.mark.parametrize(
    "values",
    [
        3232235776 + np.arange(256),  # IPv4 addresses
        np.random.default_rng(0).integers(0, 2**32, 300),  # CRCs
        -(2.0**31) + np.arange(9),
        2.0**31 - 5 + np.arange(9),
    ],
    ids=["addresses", "CRCs", "least", "at the sign"],
)
def test_words_of_32_bits(values):
    rows = np.asarray(values, np.float64)[:, None]
    thresholds = np.quantile(rows, [0.25, 0.5, 0.75], axis=0, method="lower").T
    encoder = encoder_of(thresholds, rows)
    bits = encoder.words(rows)[..., None] > encoder.thresholds
    assert (bits == (rows[..., None] > thresholds)).all()
    assert encoder.thresholds.dtype == (np.int64 if encoder.thresholds.max() >= 2**31 else np.int32)


def test_bits_that_no_format_keeps_are_told(caplog):
    """Timestamps beside femtofarads: one fraction for all features."""
    rng = np.random.default_rng(0)
    rows = np.stack([1.7e9 + rng.random(100), rng.random(100), 1e-15 * rng.random(100)], axis=1)
    encoder_of(np.quantile(rows, [0.25, 0.5, 0.75], axis=0, method="lower").T, rows)
    (record,) = caplog.records
    assert "bits of features 2, 3 change" in record.getMessage().replace("1, 2, 3", "2, 3")
