"""The narrowest words in which thresholds separate the rows as they do in real numbers."""

import logging

import numpy as np

from ..data.encoding import Rows
from ..data.images import DataError
from .weightless_classifier import MAX_WORD_BITS, FeatureEncoder

__all__ = ["encoder_of", "grid_encoder"]

FRACTIONS = range(-48, 49)

log = logging.getLogger("lutformer")


def encoder_of(thresholds: Rows, rows: Rows, bits: int = 0) -> FeatureEncoder:
    """Return integer thresholds, and the format of the words to compare with them (Eq. 36).

    A word reaches from the lowest threshold to one above the highest; what lies beyond saturates,
    which changes no bit.

    Parameters
    ----------
    thresholds : [features, B]
        Real numbers.
    rows : [rows, features]
        All rows that are known, those held out included: no label is looked at.
    bits : int
        Width of the words; they are as fine as it allows, and thresholds move to the nearest level
        between two words. With 0, the least fraction with which every bit of every row is that of
        the real numbers; the finest that :data:`MAX_WORD_BITS` allow where none is.
    """
    if bits:
        return _finest(thresholds, bits)
    below, above = _neighbours(thresholds, rows)
    separating = (f for f in FRACTIONS if (_scaled(below, f) < _scaled(above, f)).all())
    fraction = next(separating, FRACTIONS[-1])
    levels = np.minimum(_scaled(thresholds, fraction), _scaled(above, fraction) - 1)
    if _width(levels)[0] > MAX_WORD_BITS:
        encoder = _finest(thresholds, MAX_WORD_BITS)
        _notice_lost_bits(encoder, thresholds, rows)
        return encoder
    return _encoder(levels, fraction)


def grid_encoder(thresholds: Rows, fraction: int | None = None) -> FeatureEncoder:
    """Return the encoder of features that lie on a grid of ``2**-fraction``, as do thresholds.

    Without a fraction it is the least with which every threshold lies on the grid.

    Raises
    ------
    DataError
        If words of :data:`MAX_WORD_BITS` cannot hold them.
    """
    if fraction is None:
        exact = (f for f in FRACTIONS if (_scaled(thresholds, f) == np.ldexp(thresholds, f)).all())
        fraction = next(exact, FRACTIONS[-1])
    if _width(_scaled(thresholds, fraction))[0] > MAX_WORD_BITS:
        raise DataError(
            "The thresholds lie on no grid that 32 bits could hold: give data to choose it from"
        )
    return _encoder(_scaled(thresholds, fraction), fraction)


def _neighbours(thresholds: Rows, rows: Rows) -> tuple[Rows, Rows]:
    """Return for every threshold the highest value of a row up to it, and the lowest above it."""
    below, above = np.empty_like(thresholds), np.empty_like(thresholds)
    for feature, column in enumerate(rows.T):
        values = np.concatenate([[-np.inf], np.unique(column), [np.inf]])
        place = np.searchsorted(values, thresholds[feature], side="right")
        below[feature], above[feature] = values[place - 1], values[place]
    return below, above


def _scaled(values: Rows, fraction: int) -> Rows:
    return np.floor(np.ldexp(values, fraction))


def _finest(thresholds: Rows, bits: int) -> FeatureEncoder:
    fits = (f for f in reversed(FRACTIONS) if _width(_nearest(thresholds, f))[0] <= bits)
    fraction = next(fits, None)
    if fraction is None:
        raise DataError(f"No words of {bits} bits can hold thresholds of this size")
    return _encoder(_nearest(thresholds, fraction), fraction, bits)


def _nearest(thresholds: Rows, fraction: int) -> Rows:
    """Return levels above which the words begin that are nearest to the thresholds."""
    return np.ceil(np.ldexp(thresholds, fraction) - 0.5) - 1


def _notice_lost_bits(encoder: FeatureEncoder, thresholds: Rows, rows: Rows) -> None:
    """Name the features of which words of one format cannot tell what real numbers tell."""
    words = encoder.words(rows)
    changed = [
        str(feature + 1)
        for feature in range(rows.shape[1])
        if (
            (words[:, feature, None] > encoder.thresholds[feature])
            != (rows[:, feature, None] > thresholds[feature])
        ).any()
    ]
    if changed:
        log.warning(
            "Note: no format of %d bits separates all features as their thresholds do: bits of %s "
            "%s change; bring the features to one scale, or take an offset off large ones",
            encoder.bits,
            "feature" if len(changed) == 1 else "features",
            ", ".join(changed[:8]) + (" ..." if len(changed) > 8 else ""),
        )


def _width(levels: Rows) -> tuple[int, bool]:
    """Return how many bits words need to be compared with ``levels``, and whether a sign."""
    low, high = int(levels.min()), int(levels.max()) + 1
    signed = low < 0
    magnitude = max(high, -low - 1) if signed else high
    return magnitude.bit_length() + signed, signed


def _encoder(levels: Rows, fraction: int, bits: int = 0) -> FeatureEncoder:
    width, signed = _width(levels)
    return FeatureEncoder(
        thresholds=levels.astype(np.int64), bits=bits or width, signed=signed, fraction=fraction
    )
