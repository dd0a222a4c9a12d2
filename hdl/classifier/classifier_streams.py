"""The streams of a weightless classifier, common to all its forms."""

from amaranth.hdl import ShapeLike, signed, unsigned
from amaranth.lib import data

from ...model.network.lut_pruning import PrunedClassifier
from ...model.network.weightless_classifier import FeatureEncoder

__all__ = ["count_width", "input_layout", "result_layout"]


def input_layout(
    encoder: FeatureEncoder, pruned: PrunedClassifier, *, encoded: bool = False
) -> ShapeLike:
    """Return the words of a sample; with ``encoded`` the bits of the encoder that are in use."""
    if encoded:
        return unsigned(max(1, len(pruned.bits)))
    word = signed(encoder.bits) if encoder.signed else unsigned(encoder.bits)
    return data.ArrayLayout(word, encoder.features)


def count_width(pruned: PrunedClassifier) -> int:
    """Return the bits of a count: enough for the class that counts most."""
    most = zip(pruned.groups, pruned.constants, strict=True)
    return max(len(group) + constant for group, constant in most).bit_length()


def result_layout(pruned: PrunedClassifier) -> data.StructLayout:
    """Return the layout of a result: the class, and the count of each class."""
    classes = len(pruned.groups)
    counts = data.ArrayLayout(count_width(pruned), classes)
    return data.StructLayout({"index": (classes - 1).bit_length(), "counts": counts})
