"""Small designs with the ports of ``lutformer_top``, for the tests of the board flow."""

from typing import Any

import pytest
from amaranth.hdl import Cat, Elaboratable, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutformer.hdl.lib.verilog import emit

# Never read at the address that is written, so no logic has to make that safe.
NO_RW_CHECK: Any = {"no_rw_check": 1}


class Top(wiring.Component):
    rx: Signal
    tx: Signal
    led: Signal

    def __init__(self) -> None:
        super().__init__({"rx": In(1), "tx": Out(1), "led": Out(2)})


class Echo(Top):
    """Sends back what it receives, 512 clocks later; its error LED shows a product."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.line = line = Memory(shape=1, depth=512, init=[], attrs=NO_RW_CHECK)
        write, read = line.write_port(), line.read_port()
        now = Signal(9)
        word = Signal(16)
        product = Signal(32)
        m.d.sync += [now.eq(now + 1), word.eq(Cat(self.rx, word)), product.eq(word * word)]
        m.d.comb += [write.addr.eq(now), write.data.eq(self.rx), write.en.eq(1)]
        m.d.comb += [read.addr.eq(now + 1), self.tx.eq(read.data)]
        m.d.comb += self.led.eq(Cat(now[-1], product[-1]))
        return m


class Probe(Top):
    """Lights its busy LED 64 clocks after reset and echoes with a delay of one clock."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocks = Signal(7)
        m.d.sync += self.tx.eq(self.rx)
        with m.If(~clocks[-1]):
            m.d.sync += clocks.eq(clocks + 1)
        m.d.comb += self.led[0].eq(clocks[-1])
        return m


class Delay(Elaboratable):
    """A shift register, one flip-flop a bit."""

    def __init__(self, depth: int, first: Value) -> None:
        self.bits = Signal(depth)
        self.first = first

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.bits.eq(Cat(self.first, self.bits))
        return m


class Store(Elaboratable):
    """A memory of 272 bits a word, which takes 17 block memories of 16."""

    def __init__(self, bits: Signal) -> None:
        self.bits = bits
        self.read = Signal(272)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.rows = rows = Memory(
            shape=272, depth=32, init=[], attrs=NO_RW_CHECK | {"ram_style": "block"}
        )
        write, read = rows.write_port(), rows.read_port()
        m.d.comb += [write.addr.eq(self.bits), write.data.eq(self.bits), write.en.eq(1)]
        m.d.comb += [read.addr.eq(self.bits[5:]), self.read.eq(read.data)]
        return m


class Large(Top):
    """More flip-flops than an HX1K has, most in ``long``, and more block memories."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.long = long = Delay(1300, self.rx)
        m.submodules.short = short = Delay(40, long.bits[-1])
        m.submodules.store = store = Store(long.bits)
        m.d.comb += [self.tx.eq(short.bits[-1]), self.led.eq(store.read.xor())]
        return m


class Slow(Top):
    """A popcount of 128 bits in one clock."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        heard = Signal(128)
        total = Signal(8)
        m.d.sync += [heard.eq(Cat(self.rx, heard)), total.eq(sum(heard))]
        m.d.comb += self.tx.eq(total.xor())
        return m


@pytest.fixture(scope="session")
def echo() -> str:
    """Return an echo that takes one block memory and one DSP."""
    return emit(Echo(), top="lutformer_top")


@pytest.fixture(scope="session")
def probe() -> str:
    """Return a design that shows when its reset ends."""
    return emit(Probe(), top="lutformer_top")


@pytest.fixture(scope="session")
def large() -> str:
    """Return a design of which neither the cells nor the memories fit an HX1K."""
    return emit(Large(), top="lutformer_top")


@pytest.fixture(scope="session")
def slow() -> str:
    """Return a design that is too slow for 48 MHz on an UP5K."""
    return emit(Slow(), top="lutformer_top")
