"""The link between a byte stream and a core: right answers, refusals, and no state left behind."""

import hashlib
import random

import cocotb
import pytest

from lutformer.hdl.core.link import Link
from lutformer.model.link.frames import (
    HEADER_BYTES,
    PROTOCOL_VERSION,
    ErrorCode,
    Frame,
    FrameType,
    LinkConfig,
    Result,
    take_frame,
)
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate

HASH = hashlib.sha256(b"a network").digest()
CONFIGS = [
    LinkConfig(network_hash=HASH, input_bytes=5, classes=3, clock_hz=64_000, timeout_ms=1),
    LinkConfig(network_hash=HASH[::-1], input_bytes=1, classes=1, clock_hz=99_000, timeout_ms=1),
    LinkConfig(network_hash=HASH, input_bytes=300, classes=70, clock_hz=64_000, timeout_ms=1),
]


def answer(config, image):
    """What the core of these tests computes; it depends on every byte of the image."""
    digest = int.from_bytes(hashlib.sha256(image).digest()[:4], "little", signed=True)
    logits = tuple((digest + n) % (1 << 32) - (1 << 31) for n in range(config.classes))
    return Result(class_index=digest & 0xFFFF, cycles=digest & 0xFFFFFFFF, logits=logits)


class Core:
    """An agent that behaves as the contract of ``Link`` expects of a core."""

    name = "core"

    def __init__(self, dut, config, idle, stall):
        self.config, self.abort = config, dut.abort
        self.image = Sink(dut, "image", stall=stall)
        self.result = Source(dut, "result", idle=idle)
        self.images, self.aborts = [], 0
        self.words = self.images

    def drive(self, cycle):
        self.image.drive(cycle)
        self.result.drive(cycle)

    def look(self, cycle):
        moved = self.image.look(cycle) | self.result.look(cycle)
        if self.abort.value == 1:
            assert self.image.valid.value == 0
            self.aborts += 1
            self.image.words.clear()
        if len(self.image.words) == self.config.input_bytes:
            self.images.append(bytes(self.image.words))
            self.image.words.clear()
            self.result.send(answer(self.config, self.images[-1]).pack())
        return moved


class Host:
    """Sends frames and reads replies."""

    def __init__(self, dut, idle=0.0, stall=0.0):
        self.config = config_from_env(LinkConfig)
        self.rx = Source(dut, "rx", idle=idle)
        self.tx = Sink(dut, "tx", stall=stall)
        self.core = Core(dut, self.config, idle, stall)
        self.bench = Bench(dut, self.rx, self.tx, self.core)
        self.timeout = 1 << self.config.timeout_bits
        self.tag = 0

    async def ask(self, data):
        """Send bytes; return all that comes back until everything has been quiet for long."""
        self.tx.words.clear()
        self.rx.send(data)
        await self.bench.until(lambda: self.rx.empty)
        while self.bench.quiet < self.timeout + 20:
            await self.bench.step()
        return bytes(self.tx.words)

    def run_frame(self, image=None):
        self.tag = (self.tag + 1) % 256
        image = random.randbytes(self.config.input_bytes) if image is None else image
        return Frame(FrameType.RUN, self.tag, image)

    async def check_run(self):
        frame, before = self.run_frame(), len(self.core.images)
        expected = Frame(FrameType.RESULT, frame.tag, answer(self.config, frame.payload).pack())
        assert await self.ask(frame.pack()) == expected.pack()
        assert self.core.images[before:] == [frame.payload]

    async def check_refused(self, data, code, tag=None):
        """The reply is one ERROR, the core was told to forget, and then requests still work."""
        images, aborts = len(self.core.images), self.core.aborts
        reply = bytearray(await self.ask(data))
        frame = take_frame(reply, longest=1)
        assert frame is not None, f"{data.hex()} got the reply {bytes(self.tx.words).hex()}"
        assert reply == b""
        assert (frame.type, frame.payload) == (FrameType.ERROR, bytes([code])), data.hex()
        assert tag is None or frame.tag == tag
        assert len(self.core.images) == images
        assert self.core.aborts == aborts + 1
        assert self.core.image.words == []
        if random.random() < 0.3:
            await self.check_run()


async def start(dut, idle=0.0, stall=0.0):
    host = Host(dut, idle, stall)
    await host.bench.start()
    return host


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def answers(dut, idle, stall):
    host = await start(dut, idle, stall)
    for tag in (0x00, 0xA5, 0xFF):
        reply = await host.ask(Frame(FrameType.INFO, tag).pack())
        assert reply == Frame(FrameType.INFO_REPLY, tag, host.config.info.pack()).pack()
    assert host.core.images == []
    for _ in range(5):
        await host.check_run()
    assert host.core.aborts == 0


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def the_last_byte_waits_for_the_crc(dut):
    host = await start(dut)
    frame = host.run_frame()
    data = frame.pack()
    host.rx.send(data[:-1])
    await host.bench.until(lambda: host.rx.empty)
    await host.bench.step(host.timeout // 2)
    assert bytes(host.core.image.words) == frame.payload[:-1]
    assert await host.ask(data[-1:]) != b""
    assert host.core.images == [frame.payload]


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def any_flipped_bit_is_refused(dut):
    host = await start(dut)
    codes = {1: ErrorCode.VERSION, 2: ErrorCode.TYPE}
    codes |= dict.fromkeys((4, 5, 6), ErrorCode.LENGTH)
    data = host.run_frame().pack()
    places = range(8, 8 * len(data))
    if len(data) > 40:
        places = [*places[:56:5], *random.sample(places, 10), *places[-16::5]]
    for place in places:
        broken = bytearray(data)
        broken[place // 8] ^= 1 << place % 8
        code = codes.get(place // 8, ErrorCode.CRC)
        await host.check_refused(bytes(broken), code, tag=broken[3] if place >= 32 else None)
    for bit in range(8):  # without its sync byte a frame is noise
        assert (
            await host.ask(bytes([data[0] ^ 1 << bit]) + data[1:].replace(b"\xa5", b"\xa4")) == b""
        )
    await host.check_run()


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_truncated_frame_times_out(dut):
    host = await start(dut)
    for data in (host.run_frame().pack(), Frame(FrameType.INFO, 7).pack()):
        lengths = range(1, len(data))
        for length in lengths if len(data) < 40 else [*lengths[:10:3], *lengths[-4:]]:
            await host.check_refused(data[:length], ErrorCode.TIMEOUT)
    await host.check_run()


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def slow_bytes_are_in_time(dut):
    host = await start(dut)
    frame = host.run_frame()
    for byte in frame.pack():
        assert host.tx.words == []
        host.rx.send([byte])
        await host.bench.step(host.timeout - 2)
    await host.bench.until(lambda: host.bench.quiet > host.timeout)
    assert host.core.images == [frame.payload]
    assert host.core.aborts == 0


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_slow_core_is_not_a_timeout(dut):
    host = await start(dut)
    host.core.image.stall = 1.0
    frame = host.run_frame()
    host.rx.send(frame.pack())
    await host.bench.step(3 * host.timeout)
    assert host.core.aborts == 0
    host.core.image.stall = 0.0
    await host.ask(b"")
    assert host.core.images == [frame.payload]


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def wrong_requests_are_named(dut):
    host = await start(dut)
    size = host.config.input_bytes
    for frame, code in [
        (Frame(FrameType.INFO, 1, version=PROTOCOL_VERSION + 1), ErrorCode.VERSION),
        (Frame(FrameType.INFO, 1, version=PROTOCOL_VERSION - 1), ErrorCode.VERSION),
        (Frame(0, 2), ErrorCode.TYPE),
        (Frame(3, 2), ErrorCode.TYPE),
        (Frame(FrameType.RESULT, 3, bytes(size)), ErrorCode.TYPE),
        (Frame(FrameType.INFO, 4, bytes(size)), ErrorCode.LENGTH),
        (Frame(FrameType.RUN, 5, bytes(size - 1)), ErrorCode.LENGTH),
        (Frame(FrameType.RUN, 6, bytes(size + 1)), ErrorCode.LENGTH),
        (Frame(FrameType.RUN, 6, bytes(size + 256)), ErrorCode.LENGTH),
    ]:
        await host.check_refused(frame.pack(), code)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def the_rest_of_a_broken_frame_is_not_a_frame(dut):
    host = await start(dut)
    inner = host.run_frame().pack()
    await host.check_refused(Frame(9, 1, inner + inner).pack(), ErrorCode.TYPE)
    broken = bytearray(inner)
    broken[-1] ^= 1
    await host.check_refused(bytes(broken) + inner, ErrorCode.CRC)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def what_comes_during_a_reply_is_thrown_away(dut):
    host = await start(dut, stall=0.6)
    first, second = host.run_frame(), host.run_frame()
    reply = await host.ask(first.pack() + second.pack()[:HEADER_BYTES])
    result = Frame(FrameType.RESULT, first.tag, answer(host.config, first.payload).pack())
    assert reply == result.pack()
    assert host.core.images == [first.payload]
    await host.check_run()


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def garbage_never_counts_and_never_locks(dut):
    host = await start(dut, idle=0.2, stall=0.2)
    sent = []
    rounds = 40 if host.config.input_bytes < 40 else 10
    for _ in range(rounds):
        good = host.run_frame().pack()
        junk = bytearray(random.choice([good, good + good, random.randbytes(30)]))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(junk))
            junk[at : at + random.randint(0, 3)] = random.randbytes(random.randint(0, 3))
        if random.random() < 0.5:
            junk = junk.replace(b"\x00", b"\xa5")
        before = len(host.core.images)
        reply = bytearray(await host.ask(junk))
        # A frame of the junk may be intact, for instance when a byte was replaced by itself.
        accepted = host.core.images[before:]
        assert all(image in bytes(junk) for image in accepted)
        assert len(accepted) <= junk.count(good[:1])
        while reply:
            frame = take_frame(reply, longest=1000)
            assert frame is not None, bytes(reply).hex()
            if frame.type == FrameType.RESULT:
                image = accepted.pop(0)
                assert frame.payload == answer(host.config, image).pack()
                assert Frame(FrameType.RUN, frame.tag, image).pack() in bytes(junk)
        assert accepted == []
        await host.check_run()
        sent.append(bytes(junk))
    assert len(set(sent)) == rounds
    assert host.core.aborts > rounds // 3


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"input{config.input_bytes}")
def test_link(config, tmp_path):
    simulate(Link(config), test_file=__file__, build_dir=tmp_path)
