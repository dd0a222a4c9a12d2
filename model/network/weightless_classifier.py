"""Golden integer model of the DWN classifier: thermometer, LUT layers, group counts, argmax."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arithmetic import Integers
from ..lut_layer import LutLayer, lut_layer
from ..storage.part import Part, check
from ..thermometer import thermometer
from .stored_network import StoredNetwork

__all__ = [
    "MAX_WORD_BITS",
    "FeatureEncoder",
    "WeightlessClassifier",
    "group_counts",
    "weightless_classifier",
]

MAX_WORD_BITS = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureEncoder(Part):
    """Words of the features, and the thresholds that turn each word into bits.

    Attributes
    ----------
    thresholds : int32 or int64 [F, B]
        Of each feature, ascending; int64 only where unsigned words of 32 bits need it.
    bits : int
        w, width of a word, 1 to 32.
    signed : bool
        Whether words are in two's complement.
    fraction : int
        f; the word of a real feature x is ``floor(x * 2**f)``, saturated to w bits.
    """

    thresholds: NDArray[Any]
    bits: int
    signed: bool
    fraction: int = 0

    def __post_init__(self) -> None:
        thresholds = self.freeze("thresholds", np.int64, 2)
        if np.abs(thresholds).max() <= np.iinfo(np.int32).max:
            self.freeze("thresholds", np.int32, 2)
        check(
            bool((np.diff(thresholds, axis=1) >= 0).all()),
            "FeatureEncoder.thresholds must ascend",
        )
        check(
            1 <= self.bits <= MAX_WORD_BITS,
            f"FeatureEncoder.bits must be 1 to {MAX_WORD_BITS}, not {self.bits!r}",
        )
        check(
            -64 <= self.fraction <= 64,
            f"FeatureEncoder.fraction must be -64 to 64, not {self.fraction!r}",
        )

    @property
    def features(self) -> int:
        """F."""
        return self.thresholds.shape[0]

    @property
    def lowest(self) -> int:
        """Smallest word."""
        return -(1 << self.bits - 1) if self.signed else 0

    @property
    def highest(self) -> int:
        """Largest word."""
        return self.lowest + (1 << self.bits) - 1

    @property
    def word_bytes(self) -> int:
        """Bytes of a word on the link."""
        return -(-self.bits // 8)

    def pack(self, words: ArrayLike) -> list[bytes]:
        """Return the bytes of each row of words [samples, F]: little-endian, sign extended."""
        wide = np.ascontiguousarray(words, "<i8")
        shape = (*wide.shape, wide.itemsize)
        return [row.tobytes() for row in wide.view(np.uint8).reshape(shape)[..., : self.word_bytes]]

    def words(self, features: ArrayLike) -> Integers:
        """Return the words of real features [..., F] (Eq. 36)."""
        values = np.floor(np.ldexp(np.asarray(features, np.float64), self.fraction))
        check(bool(np.isfinite(values).all()), "Features must be finite numbers")
        return np.clip(values, self.lowest, self.highest).astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightlessClassifier(StoredNetwork):
    """A trained DWN (Bacellar et al., 2024) in integers.

    Attributes
    ----------
    encoder : FeatureEncoder
    layers : tuple of LutLayer
        The bits of the last one are counted in contiguous groups, one a class.
    class_names : tuple of str
    """

    encoder: FeatureEncoder
    layers: tuple[LutLayer, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        check(len(self.layers) >= 1, "WeightlessClassifier.layers must hold at least one LutLayer")
        width = self.encoder.thresholds.size
        for n, layer in enumerate(self.layers):
            check(
                layer.inputs == width,
                f"WeightlessClassifier.layers[{n}] must read {width} bits, not {layer.inputs}",
            )
            width = layer.luts
        check(
            2 <= self.classes <= width,
            f"WeightlessClassifier.class_names must name 2 to {width} classes, "
            f"as many as there are bits at most, not {self.classes}",
        )

    @property
    def classes(self) -> int:
        """K."""
        return len(self.class_names)

    @property
    def outputs(self) -> int:
        """Counts of an inference, one a class."""
        return self.classes

    def pack(self, inputs: NDArray[Any]) -> list[bytes]:
        """Return the bytes of each row of words [rows, F]."""
        return self.encoder.pack(inputs)

    @property
    def group(self) -> int:
        """G, bits that are counted for a class; the last classes' groups may lack some."""
        return -(-self.layers[-1].luts // self.classes)


def group_counts(bits: NDArray[Any], classes: int) -> Integers:
    """Count the set bits [..., N] of each of ``classes`` contiguous groups (Eq. 37)."""
    group = -(-bits.shape[-1] // classes)
    missing = group * classes - bits.shape[-1]
    padded = np.concatenate([bits, np.zeros((*bits.shape[:-1], missing), bits.dtype)], axis=-1)
    return padded.reshape(*bits.shape[:-1], classes, group).sum(-1, dtype=np.int64)


def weightless_classifier(
    network: WeightlessClassifier, words: ArrayLike
) -> dict[str, NDArray[np.integer]]:
    """Return every integer of a run over words [samples, F].

    By name, in order of computation: ``encoder`` [F * B], ``layers.N`` [its LUTs], ``counts`` [K],
    ``class`` [], the lowest index of the largest count (Eq. 21).

    Raises
    ------
    ValueError
        If the words do not have the network's shape and range.
    """
    words, encoder = np.asarray(words), network.encoder
    if words.ndim != 2 or words.shape[1] != encoder.features or words.dtype.kind not in "iu":
        raise ValueError(
            f"Words must be integers of shape (samples, {encoder.features}), "
            f"not {words.dtype} {words.shape}"
        )
    if words.size and not encoder.lowest <= words.min() <= words.max() <= encoder.highest:
        raise ValueError(
            f"Words must lie between {encoder.lowest} and {encoder.highest}, "
            f"not between {words.min()} and {words.max()}"
        )
    bits = thermometer(encoder, words)
    out: dict[str, NDArray[np.integer]] = {"encoder": bits}
    for n, layer in enumerate(network.layers):
        out[f"layers.{n}"] = bits = lut_layer(layer, bits)
    out["counts"] = group_counts(bits, network.classes)
    out["class"] = np.argmax(out["counts"], axis=-1)
    return out
