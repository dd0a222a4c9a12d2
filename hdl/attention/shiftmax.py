"""I-ViT's probabilities of rows of exponentials, in hardware."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.softmax_attention import SHIFTMAX_BITS
from ..lib.arithmetic import multiply
from ..lib.division import division_step
from ..lib.fifo import BlockFifo
from ..lib.row_counter import row_counter
from .softmax_config import FACTOR_BITS, SoftmaxAttentionConfig

__all__ = ["Shiftmax", "ShiftmaxFactor"]


class ShiftmaxFactor(wiring.Component):
    """Divide I-ViT's numerator by the sum of a row, one bit a cycle.

    Computes ``F = floor((2**31 - 1) / min(i, 2**31 - 1))`` of docs/math.md, Eq. 25.

    Latency is :attr:`latency` cycles; the next input is taken once the output has been.

    Parameters
    ----------
    width : int
        Unsigned width of the sum.

    Members
    -------
    i : In(stream.Signature(width))
        At least 1.
    o : Out(stream.Signature(31))
    """

    latency = FACTOR_BITS + 1

    i: stream.Interface
    o: stream.Interface

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(
            {"i": In(stream.Signature(width)), "o": Out(stream.Signature(FACTOR_BITS))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = min(self.width, FACTOR_BITS)
        divisor = Signal(width)
        rest = Signal(width)
        left = Signal(range(FACTOR_BITS))
        bit, next_rest = division_step(m, divisor, rest)

        with m.FSM():
            with m.State("idle"):
                m.d.comb += self.i.ready.eq(1)
                over = self.i.payload[width:].any()
                m.d.sync += divisor.eq(self.i.payload[:width] | over.replicate(width))
                m.d.sync += [rest.eq(0), left.eq(FACTOR_BITS - 1)]
                with m.If(self.i.valid):
                    m.next = "divide"
            with m.State("divide"):
                m.d.sync += rest.eq(next_rest)
                m.d.sync += [self.o.payload.eq(Cat(bit, self.o.payload)), left.eq(left - 1)]
                with m.If(left == 0):
                    m.next = "done"
            with m.State("done"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "idle"
        return m


class Shiftmax(wiring.Component):
    """Multiply the exponentials of a row by the reciprocal of their sum.

    Computes ``y_ij`` of docs/math.md, Eq. 25, equal in every bit to
    :func:`lutformer.model.softmax_attention.shiftmax`. Exponentials wait in a queue until the sum
    of their row has been divided.

    A row of k keys takes ``max(k, ShiftmaxFactor.latency + 1)`` cycles. From a row's last
    exponential to its first probability takes :attr:`latency` cycles.

    Parameters
    ----------
    config : SoftmaxAttentionConfig

    Members
    -------
    before : In(range(config.max_keys))
        Only with contexts of many jobs: tokens of the context before the job's; steady during it.
    i : In(stream.Signature(config.weight_width))
        Of each query, of each head: the exponential of each key.
    o : Out(stream.Signature(15))
        Of each query, of each head: the probability of each key.
    """

    before: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, config: SoftmaxAttentionConfig) -> None:
        self.config = config
        self.factor = ShiftmaxFactor(config.sum_width)
        super().__init__(
            {
                "before": In(range(config.max_keys)),
                "i": In(stream.Signature(config.weight_width)),
                "o": Out(stream.Signature(SHIFTMAX_BITS)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a row's last exponential to its first probability."""
        return self.factor.latency + 3 + self.config.registers

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.factor = self.factor
        m.submodules.queue = queue = BlockFifo(self.config.weight_width, self.config.queue_depth)
        stop = self._sum(m)

        m.d.comb += queue.i.payload.eq(self.i.payload)
        m.d.comb += queue.i.valid.eq(self.i.valid & ~stop)
        m.d.comb += self.i.ready.eq(queue.i.ready & ~stop)
        self._multiply(m, queue.o)
        return m

    def _sum(self, m: Module) -> Value:
        """Sum the exponentials and hand the sum on; return whether it waits to be divided."""
        m.submodules.sum_rows = rows = row_counter(m, self.config, self.before)
        total = Signal(self.config.sum_width)
        pending = Signal()
        factor = self.factor.i
        m.d.comb += [factor.valid.eq(pending), factor.payload.eq(total)]
        m.d.comb += rows.advance.eq(self.i.valid & self.i.ready)
        with m.If(factor.ready):
            m.d.sync += pending.eq(0)
        with m.If(rows.advance):
            m.d.sync += total.eq(Mux(rows.key == 0, 0, total) + self.i.payload)
            with m.If(rows.row_end):
                m.d.sync += pending.eq(1)
        return pending & ~factor.ready

    def _multiply(self, m: Module, exponential: stream.Interface) -> None:
        """Multiply the exponentials of a row by its factor, once it is there."""
        config, source = self.config, self.factor.o
        m.submodules.multiply_rows = rows = row_counter(m, self.config, self.before)
        factor = Signal(FACTOR_BITS)
        present = Signal()
        step = Signal()
        product = Signal(FACTOR_BITS)  # no exponential is above the sum of its row

        # Cycle 0: multiply. Last cycle: drop the lowest bits.
        m.d.comb += step.eq(self.o.ready | ~self.o.valid)
        m.d.comb += exponential.ready.eq(step & present)
        m.d.comb += rows.advance.eq(exponential.valid & exponential.ready)
        m.d.comb += source.ready.eq(~present | rows.advance & rows.row_end)
        with m.If(source.ready):
            m.d.sync += [present.eq(source.valid), factor.eq(source.payload)]
        result = multiply(Cat(exponential.payload, 0).as_signed(), factor, dsp=config.dsp_divide)
        valid: Value = rows.advance
        if config.registers:
            later = Signal(name="product_valid")
            with m.If(step):
                m.d.sync += [product.eq(result), later.eq(valid)]
            valid = later
        else:
            m.d.comb += product.eq(result)
        with m.If(step):
            m.d.sync += [self.o.valid.eq(valid), self.o.payload.eq(product[-SHIFTMAX_BITS:])]
