"""Thermometer bits of a sample that comes byte by byte."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.network.lut_pruning import PrunedClassifier
from ...model.network.weightless_classifier import FeatureEncoder
from ..lib.memory import block_memory
from .classifier_streams import input_layout

__all__ = ["SerialEncoder", "encoder_cycles", "encoder_program"]


class SerialEncoder(wiring.Component):
    """Keep of each word no more than the bits that are in use.

    Computes docs/math.md, Eq. 15, for the thresholds of a pruned network, which lie in a memory.
    A word has come with its last byte; then it is compared with its feature's thresholds, one a
    cycle. A feature without thresholds in use takes a cycle as well.

    The bits are offered :attr:`latency` cycles after the last byte.

    Parameters
    ----------
    encoder : FeatureEncoder
    pruned : PrunedClassifier

    Members
    -------
    i : In(stream.Signature(8))
        The words of a sample, ``encoder.word_bytes`` each, the lowest byte first.
    abort : In(1)
        Forget the bytes of an unfinished sample. Never with a byte, nor after the last one.
    full : Out(1)
        High with the transfer of a sample's last byte.
    comparing : Out(1)
        A word has come and is compared.
    o : Out(stream.Signature(bits))
        The bits in use, in the order of ``pruned.bits``.
    """

    i: stream.Interface
    abort: Signal
    full: Signal
    comparing: Signal
    o: stream.Interface

    def __init__(self, encoder: FeatureEncoder, pruned: PrunedClassifier) -> None:
        self.encoder = encoder
        self.word = signed(encoder.bits) if encoder.signed else unsigned(encoder.bits)
        self.program = encoder_program(encoder, pruned)
        payload = input_layout(encoder, pruned, encoded=True)
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "abort": In(1),
                "full": Out(1),
                "comparing": Out(1),
                "o": Out(stream.Signature(payload)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the last byte in to the bits out."""
        return len(self.program) - self._last_feature + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.program = memory = block_memory(
            shape=data.StructLayout({"threshold": self.word, "keep": 1, "last": 1}),
            depth=len(self.program),
            init=self.program,
        )
        read = memory.read_port()
        came = Signal(8 * self.encoder.word_bytes)
        word = Signal(self.word)
        byte = Signal(range(self.encoder.word_bytes))
        place, following = Signal(range(len(self.program))), Signal(range(len(self.program)))
        comparing, end = self.comparing, Signal()

        m.d.comb += [self.i.ready.eq(~comparing & ~self.o.valid), following.eq(place)]
        m.d.comb += [read.addr.eq(following), end.eq(place == len(self.program) - 1)]
        m.d.comb += word.eq(came)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(comparing):
            m.d.comb += following.eq(Mux(end, 0, place + 1))
            m.d.sync += [comparing.eq(~read.data.last), self.o.valid.eq(end)]
            with m.If(read.data.keep):
                m.d.sync += self.o.payload.eq(Cat(self.o.payload, word > read.data.threshold)[1:])
        with m.If(self.i.valid & self.i.ready):
            last_byte = byte == self.encoder.word_bytes - 1
            m.d.comb += self.full.eq(last_byte & (place == self._last_feature))
            m.d.sync += [came.eq(Cat(came, self.i.payload)[8:]), comparing.eq(last_byte)]
            m.d.sync += byte.eq(Mux(last_byte, 0, byte + 1))
        with m.If(self.abort):
            m.d.comb += following.eq(0)
            m.d.sync += [byte.eq(0), comparing.eq(0)]
        m.d.sync += place.eq(following)
        return m

    @property
    def _last_feature(self) -> int:
        """Return where the thresholds of the last feature begin."""
        ends = [n for n, entry in enumerate(self.program) if entry["last"]]
        return ends[-2] + 1 if len(ends) > 1 else 0


def encoder_program(encoder: FeatureEncoder, pruned: PrunedClassifier) -> list[dict[str, int]]:
    """Return the thresholds of each feature, with the last marked, and the bits kept of them."""
    used: list[list[int]] = [[] for _ in range(encoder.features)]
    for feature, threshold in pruned.bits:
        used[feature].append(threshold)
    program: list[dict[str, int]] = []
    for thresholds in used:
        kept = [{"threshold": t, "keep": 1, "last": 0} for t in thresholds]
        kept = kept or [{"threshold": 0, "keep": 0, "last": 0}]
        kept[-1]["last"] = 1
        program += kept
    return program


def encoder_cycles(encoder: FeatureEncoder, pruned: PrunedClassifier) -> int:
    """Return the cycles that the encoder works on a sample: one a byte, one an entry."""
    return encoder.features * encoder.word_bytes + len(encoder_program(encoder, pruned))
