"""What a board runs: the serial link around the core."""

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from ..model.arithmetic import RESIDUAL_BITS
from ..model.link import LinkConfig
from ..model.network import Network
from .link import Link
from .plan import Plan
from .uart import UartReceiver, UartTransmitter

__all__ = ["Top", "link_config"]

WRITTEN_BITS = 2 + RESIDUAL_BITS  # valid, writer, value: only a bench looks at them


def link_config(network: Network, plan: Plan) -> LinkConfig:
    """Return the constants that the link reports and checks."""
    return LinkConfig(
        network_hash=network.digest,
        input_bytes=network.embedding.pixels,
        classes=network.classes,
        clock_hz=plan.clock_hz,
    )


class Top(wiring.Component):
    """Answer the requests of ``docs/link.md`` on a serial line with the module ``lutformer_core``.

    Members
    -------
    rx, tx : In(1), Out(1)
        The serial line, 8N1, ``plan.divisor`` clock cycles a bit.
    led : Out(2)
        Bit 0: an inference runs. Bit 1: a byte without stop bit came, or one too many; until reset.
    """

    rx: Signal
    tx: Signal
    led: Signal

    def __init__(self, network: Network, plan: Plan) -> None:
        self.divisor = plan.divisor
        self.link = Link(link_config(network, plan))
        line = In(1, init=1)  # pyright: ignore[reportCallIssue]  # the stubs lack init
        super().__init__({"rx": line, "tx": Out(1), "led": Out(2)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(self.divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(self.divisor)
        m.submodules.link = link = self.link
        busy = Signal()
        m.submodules.core = Instance(
            "lutformer_core",
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            i_i__payload=link.image.payload,
            i_i__valid=link.image.valid,
            o_i__ready=link.image.ready,
            i_abort=link.abort,
            o_o__payload=link.result.payload,
            o_o__valid=link.result.valid,
            i_o__ready=link.result.ready,
            o_busy=busy,
            o_written=Signal(WRITTEN_BITS, name="written"),
        )
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        connect(m, receiver.o, link.rx)
        connect(m, link.tx, transmitter.i)
        m.d.comb += self.led[0].eq(busy)
        with m.If(receiver.error):
            m.d.sync += self.led[1].eq(1)
        return m
