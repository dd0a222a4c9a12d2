"""The top of a board: the serial link around the core."""

from collections.abc import Iterator

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from ...model.link.frames import LinkConfig
from ...model.link.link_format import link_format
from ...model.network.stored_network import StoredNetwork
from ..lib.uart import UartReceiver, UartTransmitter
from ..plan.board_plan import BoardPlan
from .link import Link

__all__ = ["CORE", "TOP", "Top", "link_config"]

CORE, TOP = "lutformer_core", "lutformer_top"
"""Names of the emitted modules."""
CORE_PORTS = {"i", "abort", "o", "busy"}


def link_config(network: StoredNetwork, plan: BoardPlan) -> LinkConfig:
    """Return the constants that the link reports and checks."""
    frames = link_format(network)
    return LinkConfig(
        network_hash=network.digest,
        input_bytes=frames.input_bytes,
        classes=network.outputs,
        reply_bytes=frames.reply_bytes,
        clock_hz=plan.clock_hz,
    )


class Top(wiring.Component):
    """Answer the requests of ``docs/link.md`` on a serial line with the module ``lutformer_core``.

    Parameters
    ----------
    core : wiring.Component
        What that module is: byte streams ``i`` and ``o``, ``abort`` and ``busy``, and outputs that
        only a bench looks at.
    config : LinkConfig
    divisor : int
        Clock cycles of a bit on the line.

    Members
    -------
    rx, tx : In(1), Out(1)
        The serial line, 8N1, ``divisor`` clock cycles a bit.
    led : Out(2)
        Bit 0: an inference runs. Bit 1: a byte without stop bit came, or one too many; until reset.
    """

    rx: Signal
    tx: Signal
    led: Signal

    def __init__(self, core: wiring.Component, config: LinkConfig, divisor: int) -> None:
        self.core, self.divisor = core, divisor
        self.link = Link(config)
        line = In(1, init=1)  # pyright: ignore[reportCallIssue]  # the stubs lack init
        super().__init__({"rx": line, "tx": Out(1), "led": Out(2)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(self.divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(self.divisor)
        m.submodules.link = link = self.link
        busy = Signal()
        m.submodules.core = Instance(
            CORE,
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
            **{f"o_{name}": signal for name, signal in self._unwatched()},
        )
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        connect(m, receiver.o, link.rx)
        connect(m, link.tx, transmitter.i)
        m.d.comb += self.led[0].eq(busy)
        with m.If(receiver.error):
            m.d.sync += self.led[1].eq(1)
        return m

    def _unwatched(self) -> Iterator[tuple[str, Signal]]:
        """Yield a signal for each output of the core that no one reads here."""
        for path, member, _ in self.core.signature.flatten(self.core):
            if path[0] not in CORE_PORTS:
                name = "__".join(map(str, path))
                yield name, Signal(Shape.cast(member.shape), name=name)
