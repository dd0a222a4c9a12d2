"""The wrapper between the pins of a board and the generated ``lutformer_top``."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from ...hdl.core.top import TOP
from ..board import Board
from .pll import ecp5_pll, ice40_pll

__all__ = ["BoardTop"]

RESET_SECONDS = 15e-6  # iCE40 block memories read as zero for some 3 us after configuration


class BoardTop(Elaboratable):
    """Clock, reset, UART pins and LEDs of a board around the module ``lutformer_top``.

    That module comes as Verilog and has the ports ``clk``, ``rst`` (synchronous, active high),
    ``rx``, ``tx`` and ``led`` (bit 0: busy, bit 1: error). ``rst`` falls 15 us after the clock is
    stable. ``rx`` has passed two flip-flops. This is the only place with vendor cells.
    """

    def __init__(self, board: Board) -> None:
        self.board = board

    def elaborate(self, platform: Any) -> Module:  # of amaranth-boards, untyped
        m = Module()
        running = Signal()  # the clock is stable
        ready, reset = Signal(), Signal(init=1)
        waited = Signal(range(round(RESET_SECONDS * self.board.clock_hz) + 1))
        rx = Signal(init=1)
        led = Signal(2)

        # No reset: the reset is made here, from registers that configuration clears.
        m.domains += ClockDomain("sync", reset_less=True)
        clk = self._clock(m, platform, running)
        m.d.comb += ClockSignal().eq(clk)
        m.d.sync += reset.eq(~ready)  # a register in the middle of all that it reaches
        with m.If(~running):
            m.d.sync += [waited.eq(0), ready.eq(0)]
        with m.Elif(waited == round(RESET_SECONDS * self.board.clock_hz)):
            m.d.sync += ready.eq(1)
        with m.Else():
            m.d.sync += waited.eq(waited + 1)

        uart = platform.request(*self.board.uart_resource, dir="-")
        m.submodules.rx_buffer = rx_buffer = io.Buffer(io.Direction.Input, uart.rx)
        m.submodules.tx_buffer = tx_buffer = io.Buffer(io.Direction.Output, uart.tx)
        m.submodules.rx_sync = FFSynchronizer(rx_buffer.i, rx, init=1)
        m.submodules.lutformer_top = Instance(
            TOP,
            i_clk=ClockSignal(),
            i_rst=reset,
            i_rx=rx,
            o_tx=tx_buffer.o,
            o_led=led,
        )
        self._leds(m, platform, led)
        return m

    def _leds(self, m: Module, platform: Any, led: Signal) -> None:
        """Drive an LED from ``led``; unused colours of an RGB LED stay dark."""
        lit: dict[tuple[str, int], dict[str, int]] = {}
        for bit, (name, number, *colour) in enumerate(self.board.leds):
            lit.setdefault((name, number), {})[colour[0] if colour else ""] = bit
        for resource, bits in lit.items():
            port = platform.request(*resource, dir="-")
            pins = {"": port} if "" in bits else {c: getattr(port, c) for c in "rgb"}
            for colour, pin in pins.items():
                name = "_".join(filter(None, (resource[0], str(resource[1]), colour)))
                m.submodules[f"{name}_buffer"] = buffer = io.Buffer(io.Direction.Output, pin)
                m.d.comb += buffer.o.eq(led[bits[colour]] if colour in bits else 0)

    def _clock(self, m: Module, platform: Any, running: Signal) -> Signal:
        """Add the PLL, if the design's clock is not the crystal's; return the clock."""
        board = self.board
        pin = platform.request(board.clock, dir="-")
        clk = Signal(name="clk")
        if board.clock_hz == board.crystal_hz:
            m.submodules.clk_buffer = buffer = io.Buffer(io.Direction.Input, pin)
            m.d.comb += [clk.eq(buffer.i), running.eq(1)]
            return clk
        locked = Signal()
        if board.family == "ecp5":
            m.submodules.clk_buffer = buffer = io.Buffer(io.Direction.Input, pin)
            pll = ecp5_pll(board.crystal_hz, board.clock_hz)
            m.submodules.pll = pll.cell(clk_in=buffer.i, clk_out=clk, locked=locked)
        else:
            pll = ice40_pll(board.crystal_hz, board.clock_hz)
            if board.pll_input == "pad":
                m.submodules.pll = pll.pad_cell(pin=pin.io, clk_out=clk, locked=locked)
            else:
                m.submodules.clk_buffer = buffer = io.Buffer(io.Direction.Input, pin)
                m.submodules.pll = pll.core_cell(clk_in=buffer.i, clk_out=clk, locked=locked)
        m.submodules.lock_sync = FFSynchronizer(locked, running)
        platform.add_clock_constraint(clk, board.clock_hz)
        return clk
