"""Proof that a circuit classifies every sample as the trained network does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from ...model.network.weightless_classifier import FeatureEncoder, WeightlessClassifier
from .aig import FALSE, Aig, Literal
from .aig_words import exceeds, first_largest, total
from .cut_proof import prove_in_slices
from .lut_proof import trained_outputs
from .prover import Counterexample, Undecided, prove

__all__ = ["ClassifierProof", "WrongResult", "sample_words"]

WHOLE_SECONDS, WHOLE_GROUP = 120, 24
"""How long to try, and up to how many tables a class: with more it is in vain."""
SAMPLES = 1 << 12


@dataclass(frozen=True, kw_only=True)
class WrongResult:
    """A sample that the circuit judges differently."""

    words: tuple[int, ...]
    name: str
    """``class``, or ``counts[k]``."""
    found: int
    trained: int


class _Trained:
    """The network's definition (docs/math.md, Eq. 15, 16, 37 and 21) as circuits.

    Nothing here is shared with the generator of the hardware: neither its pruning nor its mapping.

    Attributes
    ----------
    bits : list of int
        Outputs of the last layer of tables.
    groups, counts : list of list of int
        Of each class the bits that are counted, and their number.
    index : list of int
        Of the class.
    """

    def __init__(self, aig: Aig, network: WeightlessClassifier, payload: Sequence[Literal]) -> None:
        bits = _encoded(aig, network.encoder, payload)
        for layer in network.layers:
            bits = trained_outputs(aig, layer, bits)
        size = network.group
        self.groups = [bits[k * size : (k + 1) * size] for k in range(network.classes)]
        self.counts = [total(aig, group) for group in self.groups]
        self.index = first_largest(aig, self.counts)


def sample_words(aig: Aig, encoder: FeatureEncoder) -> list[Literal]:
    """Return inputs for the words of a sample, one word after the other."""
    return [
        aig.input(f"word {n}[{bit}]")
        for n in range(encoder.features)
        for bit in range(encoder.bits)
    ]


def _encoded(aig: Aig, encoder: FeatureEncoder, payload: Sequence[Literal]) -> list[Literal]:
    width = encoder.bits
    words = [payload[n * width : (n + 1) * width] for n in range(encoder.features)]
    return [
        exceeds(aig, word, threshold, signed=encoder.signed)
        for word, thresholds in zip(words, encoder.thresholds.tolist(), strict=True)
        for threshold in thresholds
    ]


class ClassifierProof:
    """The circuit's result for the words of a sample, and the network's.

    Parameters
    ----------
    aig : Aig
    network : WeightlessClassifier
    words : sequence of int
        As :func:`sample_words` makes them.
    outputs : sequence of int
        Class and counts, as
        :class:`lutformer.hdl.classifier.weightless_classifier.WeightlessClassifier` has them at
        ``o``.
    """

    def __init__(
        self,
        aig: Aig,
        network: WeightlessClassifier,
        words: Sequence[Literal],
        outputs: Sequence[Literal],
    ) -> None:
        self.aig, self.network, self.words = aig, network, words
        self.trained = _Trained(aig, network, words)
        first = (network.classes - 1).bit_length()
        width = (len(outputs) - first) // network.classes
        starts = range(first, len(outputs), width)
        self.index, self.counts = outputs[:first], [outputs[n : n + width] for n in starts]

    def check(self, directory: Path, *, seconds: int | None = None) -> WrongResult | str:
        """Prove that both do the same with every sample; say how, or where they differ.

        All is proven at once if that takes no longer than ``seconds``, else in slices. By default
        it depends on the network whether that is tried at all.

        Raises
        ------
        Undecided
            If the slices take too long as well.
        """
        pairs = [
            pair
            for _, found, trained in self._numbers()
            for pair in zip_longest(found, trained, fillvalue=FALSE)
        ]
        if seconds is None:
            seconds = WHOLE_SECONDS if self.network.group <= WHOLE_GROUP else 0
        if not seconds:
            return self._check_slices(pairs, directory)
        try:
            wrong = prove(self.aig, pairs, directory, seconds=seconds)
        except Undecided:
            return self._check_slices(pairs, directory)
        return "as a whole" if wrong is None else self._judge(wrong.inputs)

    def _numbers(self) -> list[tuple[str, Sequence[Literal], Sequence[Literal]]]:
        """Return the numbers that come out: name, the circuit's and the network's bits."""
        both = zip(self.counts, self.trained.counts, strict=True)
        counts = [(f"counts[{k}]", *words) for k, words in enumerate(both)]
        return [("class", self.index, self.trained.index), *counts]

    def _judge(self, inputs: Mapping[str, bool]) -> WrongResult:
        """Return the mismatch of a sample."""
        for name, *both in self._numbers():
            found, trained = (_number(self.aig.evaluate(inputs, word)) for word in both)
            if found != trained:
                words = self.aig.evaluate(inputs, self.words)
                return WrongResult(
                    words=_values(self.network.encoder, words),
                    name=name,
                    found=found,
                    trained=trained,
                )
        raise ValueError("Nothing is wrong with this sample")

    def _check_slices(
        self, pairs: Sequence[tuple[Literal, Literal]], directory: Path
    ) -> WrongResult | str:
        aig, ones = self.aig, (1 << SAMPLES) - 1
        nodes = aig.cone(literal for pair in pairs for literal in pair)
        samples = _samples(self.network.encoder, self.words)
        values = dict(
            zip(nodes, aig.simulate(samples, [2 * n for n in nodes], SAMPLES, nodes), strict=True)
        )
        for pair in pairs:
            a, b = (values.get(x >> 1, 0) ^ ones * (x & 1) for x in pair)
            if a != b:
                place = ((a ^ b) & -(a ^ b)).bit_length() - 1
                inputs = {
                    name: bool(samples[x] >> place & 1)
                    for name, x in aig.inputs.items()
                    if x in samples
                }
                return self._judge(inputs)
        cuts = prove_in_slices(
            aig, self.index, self.counts, self.trained.groups, values, ones, directory
        )
        if isinstance(cuts, Counterexample):
            return self._judge(cuts.inputs)
        return f"in slices, cut at {cuts} tables and at the counts"


def _samples(encoder: FeatureEncoder, words: Sequence[Literal]) -> dict[Literal, int]:
    """Return the bits of ``words`` at samples close to thresholds, where there is most to see."""
    rng = np.random.default_rng(0)
    shape = (SAMPLES, encoder.features)
    chosen = rng.integers(0, encoder.thresholds.shape[1], shape)
    near = encoder.thresholds.astype(np.int64)[np.arange(encoder.features), chosen]
    values = np.clip(near + rng.integers(0, 2, shape), encoder.lowest, encoder.highest)
    bits = values[..., None] >> np.arange(encoder.bits) & 1
    columns = np.packbits(bits.reshape(SAMPLES, -1).astype(np.uint8), axis=0, bitorder="little")
    return {word: int.from_bytes(columns[:, n].tobytes(), "little") for n, word in enumerate(words)}


def _number(bits: Sequence[bool]) -> int:
    return sum(bit << n for n, bit in enumerate(bits))


def _values(encoder: FeatureEncoder, bits: Sequence[bool]) -> tuple[int, ...]:
    values = []
    for n in range(encoder.features):
        word = bits[n * encoder.bits : (n + 1) * encoder.bits]
        value = _number(word)
        values.append(value - (1 << encoder.bits if encoder.signed and word[-1] else 0))
    return tuple(values)
