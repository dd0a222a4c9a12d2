"""Codes from the kernel of tokens with anchors, in hardware."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.arithmetic import ACTIVATION_BITS, RECIPROCAL_BITS
from ...model.kernel_hash import COSINES
from ..lib.inverse_root import InverseRoot
from ..lib.memory import block_memory
from ..lib.requantize import Requantize
from ..linear.matvec import MatVec
from .kernel_hash_config import KernelHashConfig

__all__ = ["KernelHash"]


class KernelHash(wiring.Component):
    """Hash the vectors of all heads by a kernel of their cosines with anchors.

    Computes docs/math.md, Eq. 26 to 29, equal in every bit to
    :func:`lutformer.model.kernel_hash.kernel_codes`. One :class:`MatVec` multiplies a vector with
    its head's anchors, while the inverse root of its length is taken; cosines go through the
    kernel's table to a second one, whose signs are the code. A job is all tokens of a layer.

    A vector takes ``config.interval`` cycles. From the last element of a lone vector to its first
    code bit takes :attr:`latency` cycles.

    Parameters
    ----------
    config : KernelHashConfig

    Members
    -------
    job : In(stream.Signature(range(len(config.layers) + 1)))
        The layer; taken when all codes of the job before are out.
    i : In(stream.Signature(signed(8)))
        Of each token, of each head: the elements of its vector.
    o : Out(stream.Signature(1))
        Of each token, of each head: the code bits.
    """

    job: stream.Interface
    i: stream.Interface
    o: stream.Interface

    def __init__(self, config: KernelHashConfig) -> None:
        self.config = config
        self.anchors, self.hash = MatVec(config.anchors), MatVec(config.hash)
        self.inverse_root = InverseRoot(config.square_width)
        self.shift = RECIPROCAL_BITS - 1 + config.square_width // 2
        self.requantize = Requantize(
            acc_width=config.anchors.accumulator_width,
            multiplier_width=RECIPROCAL_BITS,
            shift=self.shift,
            bits=ACTIVATION_BITS,
            variable=True,
            reach=config.cosine_reach,
            dsp=config.dsp,
            registers=config.registers,
        )
        super().__init__(
            {
                "job": In(stream.Signature(range(len(config.layers) + 1))),
                "i": In(stream.Signature(signed(ACTIVATION_BITS))),
                "o": Out(stream.Signature(1)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the last element of a lone vector to its first code bit.

        It takes some more if products that come slower than one a cycle have begun, and been held
        up, before the inverse root is there.
        """
        first, second, count = self.config.anchors, self.config.hash, self.config.anchor_count
        words, groups = first.words(first.layers[0]), first.groups(first.layers[0])
        rooted = 2 + self.config.registers + self.inverse_root.latency
        start = self.anchors.raw_latency + words
        end = start + (groups - 1) * (words - first.out_lanes)
        cosines = max(rooted, start, end) + count - 1
        codes = self.hash.raw_latency + second.words(second.layers[0])
        return cosines + self.requantize.latency + 1 + codes

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.anchors, m.submodules.hash = self.anchors, self.hash
        m.submodules.inverse_root = self.inverse_root
        m.submodules.requantize = self.requantize
        start = Signal()

        m.d.comb += self.job.ready.eq(self.anchors.job.ready & self.hash.job.ready)
        m.d.comb += start.eq(self.job.valid & self.job.ready)
        for job in (self.anchors.job, self.hash.job):
            m.d.comb += [job.valid.eq(start), job.p.layer.eq(self.job.payload)]
            m.d.comb += job.p.vectors.eq(self.config.tokens * self.config.heads)
        self._square(m)
        self._scale(m)
        self._look_up(m, start)
        m.d.comb += [self.o.valid.eq(self.hash.raw.valid), self.hash.raw.ready.eq(self.o.ready)]
        m.d.comb += self.o.payload.eq(~self.hash.raw.payload[-1])
        return m

    def _square(self, m: Module) -> None:
        """Hand the elements to the products, and the sum of their squares to the inverse root."""
        config, x, root = self.config, self.i.payload, self.inverse_root.i
        products = self.anchors.i
        element = Signal(range(config.elements))
        last = Signal()
        ended = Signal()  # the vector is complete, its root not yet begun
        take = Signal()
        taken = Signal()
        square = Signal(2 * ACTIVATION_BITS - 1)
        total = Signal(config.square_width)

        m.d.comb += last.eq(element == config.elements - 1)
        m.d.comb += [self.i.ready.eq(products.ready & ~ended), take.eq(self.i.valid & self.i.ready)]
        m.d.comb += [products.valid.eq(self.i.valid & ~ended), products.payload.eq(x)]
        domain = m.d.sync if config.registers else m.d.comb
        domain += [taken.eq(take), square.eq((x * x).as_unsigned())]
        # A sum of 0 leaves the root undefined, but then there is nothing to scale either.
        pending = ended & ~taken if config.registers else ended
        m.d.comb += [root.valid.eq(pending), root.payload.eq(total)]
        with m.If(taken):
            m.d.sync += total.eq(total + square)
        with m.If(take):
            m.d.sync += [element.eq(Mux(last, 0, element + 1)), ended.eq(last)]
        with m.If(root.valid & root.ready):
            m.d.sync += [total.eq(0), ended.eq(0)]

    def _scale(self, m: Module) -> None:
        """Scale the products of a vector by the inverse root of its length."""
        products, scale, source = self.anchors.raw, self.requantize.i, self.inverse_root.o
        left = Signal(range(self.config.anchor_count + 1))  # cosines of the root at hand
        taken = Signal()

        m.d.comb += [scale.valid.eq(products.valid & (left != 0)), scale.p.acc.eq(products.payload)]
        m.d.comb += products.ready.eq(scale.ready & (left != 0))
        m.d.comb += taken.eq(scale.valid & scale.ready)
        m.d.comb += source.ready.eq((left == 0) | (left == 1) & taken)
        with m.If(taken):
            m.d.sync += left.eq(left - 1)
        with m.If(source.valid & source.ready):
            m.d.sync += [left.eq(self.config.anchor_count), scale.p.multiplier.eq(source.p.r)]
            m.d.sync += scale.p.shift.eq(self.shift - source.p.e)

    def _look_up(self, m: Module, start: Value) -> None:
        """Replace each cosine by its kernel, from the table of the layer and head."""
        config, cosine, kernel = self.config, self.requantize.o, self.hash.i
        heads, tables = config.heads, config.heads * len(config.layers)
        m.submodules.table = table = block_memory(
            shape=signed(ACTIVATION_BITS),
            depth=tables * COSINES,
            init=[int(k) for layer in config.layers for k in layer.table.ravel()],
        )
        read = table.read_port()
        anchor = Signal(range(config.anchor_count))
        head = Signal(range(heads))
        at = Signal(range(tables))
        last_head = head == heads - 1

        m.d.comb += cosine.ready.eq(kernel.ready | ~kernel.valid)
        u = cosine.payload
        m.d.comb += [read.addr.eq(Cat(u[:-1], ~u[-1], at)), read.en.eq(cosine.ready)]
        m.d.comb += kernel.payload.eq(read.data)
        with m.If(cosine.ready):
            m.d.sync += kernel.valid.eq(cosine.valid)
        with m.If(cosine.valid & cosine.ready):
            m.d.sync += anchor.eq(anchor + 1)
            with m.If(anchor == config.anchor_count - 1):
                m.d.sync += [anchor.eq(0), head.eq(Mux(last_head, 0, head + 1))]
                m.d.sync += at.eq(Mux(last_head, at - (heads - 1), at + 1))
        with m.If(start):
            m.d.sync += at.eq(self.job.payload * heads)
