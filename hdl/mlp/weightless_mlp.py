"""The weightless MLP in hardware: thermometer, lookup tables, conditional sum."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import connect

from ...model import weightless_mlp as golden
from ...model.storage.part import check
from ..lib.arithmetic import select
from ..lib.memory import read_port
from ..luts.lut_layer import LutLayer
from .conditional_sum import ConditionalSum, ConditionalSumConfig
from .engine import MlpEngine
from .thermometer import Thermometer

__all__ = ["WeightlessMlp"]

GROUP = 64  # tables that one register tells their layer


class WeightlessMlp(MlpEngine):
    """Compute the residual increment of normalised tokens without a multiplication.

    Computes docs/math.md, Eq. 15 to 17, equal in every bit to
    :func:`lutformer.model.weightless_mlp.weightless_mlp`. The tables of all layers lie in the
    fabric side by side. While the bits of one token are summed up, the next token of the job
    arrives.

    A token takes ``max(D, D * slices)`` cycles, one more if the tables are so many that they are
    :attr:`registered`. From the last channel in to the first out takes :attr:`latency` cycles plus
    the slices of a channel.

    Parameters
    ----------
    layers : sequence of WeightlessMlp
    readout : ConditionalSumConfig
        Of the layers' readouts.
    tokens : int
        Tokens of a job.

    Members
    -------
    job : In(stream.Signature(range(len(layers) + 1)))
        Layer that the next tokens go through.
    weights : Out(read_port(readout.weight_width, readout.weight_words))
        None unless they are ``external``: reads ``readout.weights``.
    i : In(stream.Signature(signed(8)))
        D channels a token.
    o : Out(stream.Signature(signed(readout.output_width)))
        D channels a token, in units of the residual stream.
    """

    def __init__(
        self,
        layers: Sequence[golden.WeightlessMlp],
        *,
        readout: ConditionalSumConfig,
        tokens: int,
    ) -> None:
        shapes = {layer.thermometer.thresholds.shape for layer in layers}
        check(len(shapes) == 1, "Weightless MLPs must agree in channels and thermometer bits")
        self.layers, self.tokens = tuple(layers), tokens
        self.thermometer = Thermometer([layer.thermometer for layer in layers])
        self.conditional_sum = ConditionalSum(readout)
        super().__init__(
            len(self.layers),
            self.conditional_sum.o.payload.shape(),
            read_port(readout.weight_width, readout.weight_words) if readout.external else None,
        )

    @property
    def latency(self) -> int:
        """Cycles from the last channel in to the first out, the slices of a channel aside."""
        return 1 + (self.tokens > 1) + self.registered + self.conditional_sum.latency

    @property
    def registered(self) -> bool:
        """Whether the tables' outputs are registered: bits come to many of them from far away."""
        return self.conditional_sum.config.stages > 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.thermometer = thermometer = self.thermometer
        m.submodules.conditional_sum = readout = self.conditional_sum
        layer = Signal.like(self.job.payload, name="layer")
        left = Signal(range(self.tokens + 1))  # tokens of the job that have not been encoded
        accept = Signal()
        bits, bits_layer = self._hold(m, layer)

        m.d.comb += self.job.ready.eq(left == 0)
        m.d.comb += thermometer.layer.eq(layer)
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [layer.eq(self.job.payload), left.eq(self.tokens)]
            # The first channel may come in the next cycle, so its thresholds are fetched now.
            m.d.comb += thermometer.layer.eq(self.job.payload)
        m.d.comb += thermometer.i.payload.eq(self.i.payload)
        # The first channel of another job must not follow the last token into the encoder.
        m.d.comb += accept.eq((left > 1) | (left == 1) & ~thermometer.o.valid)
        m.d.comb += thermometer.i.valid.eq(self.i.valid & accept)
        m.d.comb += self.i.ready.eq(thermometer.i.ready & accept)
        with m.If(thermometer.o.ready & thermometer.o.valid):
            m.d.sync += left.eq(left - 1)
        m.d.comb += readout.layer.eq(bits_layer)
        found = self._choose(m, self._look_up(m, bits), bits_layer)
        if self.registered:
            found, outputs = Signal(len(found), reset_less=True), found
            m.d.sync += found.eq(outputs)
        m.d.comb += readout.i.payload.eq(found)
        connect(m, wiring.flipped(self.o), readout.o)
        if self.weights is not None and readout.weights is not None:
            connect(m, wiring.flipped(self.weights), readout.weights)
        return m

    def _hold(self, m: Module, layer: Signal) -> tuple[Signal, Signal]:
        """Return an encoded token and its layer, held while the next token is encoded."""
        source, sink = self.thermometer.o, self._bits(m)
        if self.tokens == 1:
            m.d.comb += [sink.valid.eq(source.valid), source.ready.eq(sink.ready)]
            return source.payload, layer
        held = Signal(self.layers[0].thermometer.bits)
        held_layer = Signal.like(layer)
        held_valid = Signal()
        m.d.comb += [source.ready.eq(~held_valid | sink.ready), sink.valid.eq(held_valid)]
        with m.If(source.ready):
            m.d.sync += held_valid.eq(source.valid)
        with m.If(source.ready & source.valid):
            m.d.sync += [held.eq(source.payload), held_layer.eq(layer)]
        return held, held_layer

    def _bits(self, m: Module) -> stream.Interface:
        """Return where the bits of a token are offered, from which all tables are looked up."""
        sink = self.conditional_sum.i
        bits = stream.Signature(0).create(path=("bits",))
        looked_up = Signal() if self.registered else Const(1)
        m.d.comb += [sink.valid.eq(bits.valid & looked_up), bits.ready.eq(sink.ready & looked_up)]
        if self.registered:
            m.d.sync += looked_up.eq(bits.valid & ~bits.ready)
        return bits

    def _choose(self, m: Module, outputs: Sequence[Value], layer: Signal) -> Value:
        """Return the outputs of one layer's tables.

        One wire to all of them would cross the chip. Where the layer is known before a token's
        first channel, its number reaches them a group later each cycle, the last before the token's
        last channel is encoded.
        """
        if not self.registered or self.tokens > 1:
            return select(outputs, layer)
        channels = len(self.layers[0].thermometer.thresholds)
        size = max(GROUP, -(-len(outputs[0]) // channels))
        chosen = []
        for start in range(0, len(outputs[0]), size):
            before, layer = layer, Signal.like(layer, name=f"layer{start}", reset_less=True)
            m.d.sync += layer.eq(before)
            chosen.append(select([output[start : start + size] for output in outputs], layer))
        return Cat(chosen)

    def _look_up(self, m: Module, bits: Signal) -> list[Signal]:
        """Return the outputs of each layer's tables."""
        outputs = []
        for n, mlp in enumerate(self.layers):
            values = bits
            for depth, layer in enumerate(mlp.layers):
                m.submodules[f"luts{n}_{depth}"] = luts = LutLayer(layer)
                m.d.comb += luts.i.eq(values)
                values = luts.o
            outputs.append(values)
        return outputs
