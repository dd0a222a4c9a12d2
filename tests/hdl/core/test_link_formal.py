"""The link, proven on its emitted Verilog: for every sequence of bytes, every pause and every core.

The proof is by induction over one cycle. What is in :data:`PROPERTIES` holds after reset, and if
it holds in a cycle it holds in the next: so it holds for ever. What is proven: docs/link.md.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from amaranth.hdl import Cat, Const, Fragment, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc import Processor
from amaranth.lib.crc.catalog import CRC32_JAMCRC
from amaranth.lib.wiring import In, Out

from lutformer.hdl.core import link as rtl
from lutformer.hdl.core.link import Link
from lutformer.hdl.lib.crc32 import POLYNOMIAL
from lutformer.hdl.lib.verilog import emit
from lutformer.model.link.frames import (
    CRC_BYTES,
    HEADER_BYTES,
    PROTOCOL_VERSION,
    SYNC,
    FrameType,
    LinkConfig,
)

PROPERTIES = (
    # What users of the link rely on.
    "tx keeps what it offers until it is taken",
    "image keeps what it offers until it is taken",
    "abort does not come while image offers",
    "the core starts only after the last byte of an intact RUN",
    "the core gets the bytes of the payload",
    "the core gets each of them once, in order",
    "nothing of an unfinished image is in the core when a frame begins",
    "the link is idle after so many cycles at most",
    "each silent cycle that nobody makes it wait brings it nearer",
    "no silent cycle takes it farther away",
    # What induction needs besides.
    "the link is in a known state",
    "place in the header",
    "place in the payload",
    "place in the CRC",
    "place after the CRC",
    "a released image",
    "the core is empty elsewhere",
    "kind of the frame",
    "the last byte of the payload is held back",
    "the CRC is that of Amaranth's library",
    "a CRC that fed nothing back leaves zeros",
)
BYTE = 9  # cycles of a byte of a reply: it goes, and is taken into the CRC


def config(input_bytes, reply_bytes):
    return LinkConfig(
        network_hash=bytes(range(32)),
        input_bytes=input_bytes,
        classes=1,
        reply_bytes=reply_bytes,
        clock_hz=8_000,
        timeout_ms=1,
    )


class Proven(wiring.Component):
    """A link beside a second reading of what goes through it.

    Members
    -------
    rx, tx, image, result
        The link's.
    assumed : Out(1)
        Host and core keep the stream rules.
    holds : Out(len(PROPERTIES))
    """

    rx: stream.Interface
    tx: stream.Interface
    image: stream.Interface
    result: stream.Interface
    assumed: Signal
    holds: Signal

    def __init__(self, config):
        self.config, self.link = config, Link(config)
        byte = stream.Signature(8)
        ports = {"rx": In(byte), "tx": Out(byte), "image": Out(byte), "result": In(byte)}
        super().__init__({**ports, "assumed": Out(1), "holds": Out(len(PROPERTIES))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = Fragment.get(self.link, platform)  # now its states have names
        self.state = self.link._ongoing
        self.idle = self.state["HEADER"] & (self.link._count == 0)
        for name in ("rx", "tx", "image", "result"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(self.link, name))
        m.d.comb += self.holds.eq(Cat(self.properties(m)))
        return m

    def any_of(self, *states):
        return Cat(self.state[state] for state in states).any()

    def properties(self, m) -> Iterator[Any]:
        yield from self.offers(m)
        yield from self.frames(m)

    def offers(self, m):
        """Yield the rules of streams."""
        kept = {}
        for name in ("rx", "tx", "image", "result"):
            port = getattr(self, name)
            stalled, before = Signal(name=f"{name}_stalled"), Signal(8, name=f"{name}_before")
            m.d.sync += [stalled.eq(port.valid & ~port.ready), before.eq(port.payload)]
            kept[name] = ~stalled | (port.valid & (port.payload == before))
        m.d.comb += self.assumed.eq(kept["rx"] & kept["result"])
        yield from (kept["tx"], kept["image"], ~(self.link.abort & self.image.valid))

    def frames(self, m):
        """Yield what becomes of frames: read here once more, with another circuit for the CRC."""
        link, size, state = self.link, self.config.input_bytes, self.state
        full = HEADER_BYTES + size + CRC_BYTES
        m.submodules.crc = crc = Processor(CRC32_JAMCRC(data_width=8))
        place, given = Signal(range(full + 2)), Signal(range(size + 1))
        is_run, last = Signal(), Signal(8)
        reading = self.any_of("HEADER", "PAYLOAD", "CRC", "CHECK")
        m.d.comb += [crc.start.eq(self.idle), crc.data.eq(self.rx.payload)]
        arrives, gives = self.rx.valid & self.rx.ready, self.image.valid & self.image.ready
        with m.If(self.idle):
            m.d.sync += [place.eq(arrives & (self.rx.payload == SYNC)), is_run.eq(1)]
        with m.Elif(reading & ~state["CHECK"] & arrives):
            m.d.comb += crc.valid.eq(1)
            m.d.sync += place.eq(place + 1)
            for n, byte in enumerate((PROTOCOL_VERSION, FrameType.RUN), 1):
                with m.If((place == n) & (self.rx.payload != byte)):
                    m.d.sync += is_run.eq(0)
            for n, byte in enumerate(size.to_bytes(3, "little"), 4):
                with m.If((place == n) & (self.rx.payload != byte)):
                    m.d.sync += is_run.eq(0)
            with m.If((place >= HEADER_BYTES) & (place < HEADER_BYTES + size)):
                m.d.sync += last.eq(self.rx.payload)
        with m.If(gives):
            m.d.sync += given.eq(Mux(given == size - 1, 0, given + 1))
        with m.If(link.abort):
            m.d.sync += given.eq(0)

        intact = is_run & (place == full) & crc.match_detected
        starts = gives & (given == size - 1)
        yield ~starts | (state["RELEASE"] & intact)
        yield ~gives | (self.image.payload == last)
        yield ~gives | state["RELEASE"] | (given == place - HEADER_BYTES - 1)
        yield ~self.idle | (given == 0)
        yield from self.lock_up(m)

        count, run = link._count, link._is_run
        header = state["HEADER"] & ~self.idle
        paid = HEADER_BYTES + Mux(run, size, 0)
        left = given == Mux(run, size - 1, 0)
        past = self.any_of("CRC", "CHECK", "RELEASE")
        yield Cat(state.values()).any()
        yield ~header | ((place == count) & (count < HEADER_BYTES) & (given == 0))
        yield ~state["PAYLOAD"] | (
            run
            & (place == HEADER_BYTES + count)
            & (count < size)
            & (given == Mux(count == 0, 0, count - 1))
        )
        yield ~state["CRC"] | ((place == paid + count) & (count < CRC_BYTES) & left)
        yield ~state["CHECK"] | ((place == paid + CRC_BYTES) & left)
        yield ~state["RELEASE"] | (run & intact & (given == size - 1))
        yield reading | state["RELEASE"] | (given == 0)
        read_type = header & (count > 2)
        yield Mux(read_type | state["PAYLOAD"] | past, is_run == run, ~header | is_run)
        held = (state["PAYLOAD"] & (count != 0)) | (past & run)
        yield ~held | (self.image.payload == last)
        value, fed = settled(m, link._crc)
        yield ~reading | self.idle | (value == crc.crc)
        top = Mux(state["CHECK"], CRC_BYTES, Mux(state["CRC"], count[:2], 0))
        yield fed | Cat((top < n) | (value[32 - 8 * n :] == 0) for n in range(1, 5)).all()

    def lock_up(self, m):
        """Yield that a distance from the idle state falls until it is 0."""
        link = self.link
        waits = (self.tx.valid & ~self.tx.ready) | (self.image.valid & ~self.image.ready)
        asks = self.state["RUN"] | (self.state["RESULT"] & link._crc.i.ready)
        waits |= asks & ~self.result.valid
        listens = self.any_of("HEADER", "PAYLOAD", "CRC", "CHECK", "DRAIN")
        distance, before = Signal(16), Signal(16)
        silent, free = Signal(), Signal()
        m.d.comb += distance.eq(self.distance())
        m.d.sync += [before.eq(distance), silent.eq(~(listens & self.rx.valid)), free.eq(~waits)]
        yield (distance <= most_cycles(self.config)) & ((distance == 0) == self.idle)
        yield ~(silent & free & (before != 0)) | (distance < before)
        yield ~silent | (distance <= before)

    def distance(self):
        """Return a bound on the cycles to the idle state, if nothing comes or makes it wait."""
        link, state, count = self.link, self.state, self.link._count
        timeout, result = 1 << self.config.timeout_bits, self.config.result_bytes
        error, _, answer = reply_cycles(self.config)
        quiet = Mux(link._silence[-1], 0, (timeout - link._silence)[: self.config.timeout_bits + 1])
        busy = sum(link._crc._bits[n:].any() for n in range(1, 9))
        place = count[: rtl.PLACE_BITS]
        reply = Mux(
            place <= rtl.ERROR_END,
            BYTE * (rtl.ERROR_END + 1 - place)[: rtl.PLACE_BITS],
            Mux(
                place <= rtl.INFO_END,
                BYTE * (rtl.INFO_END + 1 - place)[: rtl.PLACE_BITS],
                BYTE * ((rtl.RESULT_END + 1 - place)[: rtl.PLACE_BITS] + result),
            ),
        )
        of_result = BYTE * ((result - 1 - count)[: len(count)] + 1)
        end = BYTE * CRC_BYTES
        cycles = {
            "HEADER": Mux(count == 0, 0, quiet + 2 + error),
            "PAYLOAD": quiet + 2 + error,
            "CRC": quiet + 2 + error,
            "CHECK": quiet + busy + 1 + max(2 + answer, *reply_cycles(self.config)),
            "DRAIN": quiet + 1 + error,
            "RELEASE": Const(2 + answer),
            "RUN": Const(1 + answer),
            "SYNC": 1 + reply + end,
            "REPLY": busy + reply + end,
            "RESULT": busy + of_result + end,
            "SEND_CRC": busy + BYTE * (CRC_BYTES - count[:2]),
        }
        chosen = Const(0)
        for name, value in cycles.items():
            chosen = Mux(state[name], value, chosen)
        return chosen


def reply_cycles(config):
    """Return the cycles that an ERROR, an INFO_REPLY and a RESULT take from SYNC on."""
    error = rtl.ERROR_END - rtl.ERROR_START + 1
    info = rtl.INFO_END - rtl.INFO_START + 1
    result = rtl.RESULT_END - rtl.RESULT_START + 1 + config.result_bytes
    return tuple(1 + BYTE * (size + CRC_BYTES) for size in (error, info, result))


def most_cycles(config):
    error, info, result = reply_cycles(config)
    return (1 << config.timeout_bits) + 9 + max(2 + result, info, error)


def settled(m, crc):
    """Return what a CRC is, and what it has fed back, when it has taken in the bits it has."""
    value, bits, fed = crc.crc, crc._bits, crc.fed
    for n in range(crc.latency):
        following, rest = Signal(32, name=f"crc{n}"), Signal(9, name=f"bits{n}")
        fed_by_then = Signal(name=f"fed{n}")
        m.d.comb += [following.eq(value), rest.eq(bits), fed_by_then.eq(fed)]
        with m.If(bits[1:] != 0):
            m.d.comb += fed_by_then.eq(fed | (value[0] ^ bits[0]))
            m.d.comb += following.eq(value[1:] ^ Mux(value[0] ^ bits[0], POLYNOMIAL, 0))
            m.d.comb += rest.eq(bits[1:])
        value, bits, fed = following, rest, fed_by_then
    return value, fed


SCRIPT = """\
from pyosys import libyosys as ys
design = ys.Design()
for command in (
    "read_verilog -sv proven.v",
    "prep -flatten -top proven",
    "memory_map",
    "opt -full",
    "tee -o proof.log sat -set rst 0 -set assumed 1 -prove holds {all} -show holds -tempinduct"
    " -maxsteps 1 proven",
):
    ys.run_pass(command, design)
"""


def prove(component, directory):
    """Return the properties that fail, by name; raise if the prover does not tell."""
    (directory / "proven.v").write_text(emit(component, top="proven"))
    script = SCRIPT.format(all=(1 << len(PROPERTIES)) - 1)
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=600)
    log = (directory / "proof.log").read_text()
    if "Induction step proven: SUCCESS!" in log:
        return []
    values = re.findall(r"^\s*(?:\d+|init) \\holds\s.*?([01]+)\s*$", log, re.MULTILINE)
    assert values, log
    return [name for name, bit in zip(PROPERTIES, reversed(values[-1]), strict=True) if bit == "0"]


@pytest.mark.parametrize(("input_bytes", "reply_bytes"), [(3, 2), (1, 70)])
def test_link_is_proven(input_bytes, reply_bytes, tmp_path):
    assert prove(Proven(config(input_bytes, reply_bytes)), tmp_path) == []
