"""Cores behind AXI4-Stream, driven by the bus models of cocotbext-axi: what users get, as emitted.

Every frame that goes in must be answered by one, in order: by the golden run's integers, or by an
error if it ended early or late.
"""

import itertools
import random
from dataclasses import dataclass, replace
from functools import singledispatch
from itertools import islice

import cocotb
import numpy as np
import pytest
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge, with_timeout
from cocotb.utils import get_sim_time
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from lutformer.generating import generate_verilog
from lutformer.hdl.core.axi_stream import FrameError
from lutformer.hdl.core.core_files import AXIS, CLASSIFIER_BEAT
from lutformer.model.link.frames import Result
from lutformer.model.link.link_format import link_format
from lutformer.model.link.text_link import ANSWER, REPLY_BYTES, TURN, TextReply
from lutformer.model.link.text_session import TextSession
from lutformer.model.network.generation import generate
from lutformer.model.network.golden import golden
from lutformer.model.network.gpt import Gpt
from lutformer.model.network.network_file import save_network
from lutformer.model.network.stored_network import StoredNetwork
from lutformer.model.network.vit import Network
from lutformer.model.network.weightless_classifier import (
    WeightlessClassifier,
    weightless_classifier,
)
from lutformer.model.sampling import Sampler, Sampling
from lutformer.sim.runner import config_from_env, simulate_verilog
from lutformer.testing.random_classifier import random_classifier
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.testing.random_network import NetworkShape, random_network

PERIOD_NS = 10
PATIENCE_US = 300
FRAMES = 6


@dataclass(frozen=True, kw_only=True)
class Case:
    size: int  # bytes of a beat
    beats: int  # of a frame
    frames: tuple[bytes, ...]
    replies: tuple[bytes, ...]
    cycles: tuple[int, int]  # where a reply says them, which the golden run does not know
    steady: bool  # the cycles are those of every other reply
    pipelined: bool  # the core takes a frame a cycle: its streams are the limit


class Port:
    """Clock, reset and both sides of the device."""

    def __init__(self, dut, case, pauses):
        self.dut, self.case, self.pauses = dut, case, pauses
        Clock(dut.aclk, PERIOD_NS, "ns").start()
        dut.aresetn.value = 0
        around = (dut.aclk, dut.aresetn, False)  # low is reset
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), *around)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), *around)
        cocotb.start_soon(self.watch())

    async def reset(self, cycles=3):
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, cycles)
        self.source.clear()
        self.sink.clear()
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)
        if self.pauses:
            self.source.set_pause_generator(
                random.random() < self.pauses for _ in itertools.count()
            )
            self.sink.set_pause_generator(random.random() < self.pauses for _ in itertools.count())

    async def watch(self):
        """Hold the device to the rule: what is offered stays until it is taken, or reset."""
        dut, held = self.dut, None
        while True:
            await RisingEdge(dut.aclk)
            valid, ready, alive = (
                dut.m_axis_tvalid.value,
                dut.m_axis_tready.value,
                dut.aresetn.value,
            )
            word = (dut.m_axis_tdata.value, dut.m_axis_tlast.value, dut.m_axis_tuser.value)
            if held is not None:
                assert valid, f"withdrew {held}"
                assert word == held, f"changed {held} to {word}"
            held = word if alive and valid and not ready else None

    def send(self, frame):
        """Fill the last beat with anything."""
        padding = random.randbytes(-len(frame) % self.case.size)
        self.source.send_nowait(AxiStreamFrame(frame + padding))

    async def receive(self):
        return await with_timeout(self.sink.recv(), PATIENCE_US, "us")

    async def expect(self, reply):
        """Take a frame, and compare it but for its cycles; return them and when it began."""
        frame = await self.receive()
        assert not any(frame.tuser if isinstance(frame.tuser, list) else [frame.tuser]), frame
        got, (start, end) = bytes(frame.tdata), self.case.cycles
        assert len(got) == len(reply) + -len(reply) % self.case.size
        assert not any(got[len(reply) :])
        assert got[:start] + got[end : len(reply)] == reply[:start] + reply[end:], (got, reply)
        return int.from_bytes(got[start:end], "little"), frame.sim_time_start

    async def expect_error(self, error):
        frame = await self.receive()
        assert bytes(frame.tdata) == bytes([error]).ljust(self.case.size, b"\0")
        assert frame.tuser, frame

    async def finish(self):
        """Nothing more may come."""
        await ClockCycles(self.dut.aclk, 300)
        assert self.sink.empty()
        assert not self.dut.m_axis_tvalid.value


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(pauses=[0.0, 0.3, 0.8])
async def answers_every_frame(dut, pauses):
    case = config_from_env(Case)
    port = Port(dut, case, pauses)
    await port.reset()
    for frame in case.frames:
        port.send(frame)
    found = [await port.expect(reply) for reply in case.replies]
    cycles, times = zip(*found, strict=True)
    assert not case.steady or len({*cycles}) == 1, cycles
    gaps = [int(b - a) // (1000 * PERIOD_NS) for a, b in itertools.pairwise(times)]
    dut._log.info(f"pauses {pauses}: cycles {cycles}, from reply to reply {gaps}")
    for gap, cycle, reply in zip(gaps, cycles[1:], case.replies[1:], strict=True):
        busy = cycle + case.beats + 2 * len(reply) + 8
        limit = max(case.beats, -(-len(reply) // case.size)) if case.pipelined else busy
        assert pauses or gap <= limit, f"{gap} cycles from reply to reply, {limit} are enough"
    await port.finish()


@cocotb.test(timeout_time=40, timeout_unit="ms")
@cocotb.parametrize(pauses=[0.0, 0.5])
async def survives_bad_frames(dut, pauses):
    case = config_from_env(Case)
    port = Port(dut, case, pauses)
    await port.reset()
    lengths = [1, case.beats // 2, case.beats - 1, case.beats + 1, case.beats + 5, 2 * case.beats]
    due = []
    for n, (frame, reply) in enumerate(zip(case.frames, case.replies, strict=True)):
        for beats in [lengths[n % len(lengths)], random.choice(lengths)]:
            port.send(random.randbytes(beats * case.size))
            due.append(FrameError.EARLY if beats < case.beats else FrameError.LATE)
        port.send(frame)
        due.append(reply)
    for reply in due:
        await (port.expect(reply) if isinstance(reply, bytes) else port.expect_error(reply))
    await port.finish()


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def forgets_at_a_reset(dut):
    case = config_from_env(Case)
    port = Port(dut, case, 0.3)
    for _ in range(5):
        await port.reset()
        for frame in case.frames:
            port.send(frame)
        port.send(random.randbytes(case.size))  # early
        await ClockCycles(dut.aclk, random.randrange(1, 8 * case.beats))
        await ReadOnly()
        await RisingEdge(dut.aclk)
    await port.reset()
    for frame in case.frames:
        port.send(frame)
    for reply in case.replies:
        await port.expect(reply)
    await port.finish()


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def reports_a_frame_without_end(dut):
    """A source that does not drive tlast is told so, and does not stop the line."""
    case = config_from_env(Case)
    port = Port(dut, case, 0.0)
    await port.reset()
    frame = AxiStreamFrame(bytes(20 * case.beats * case.size))
    port.source.send_nowait(frame)
    await port.expect_error(FrameError.LATE)
    assert not port.source.idle()
    port.send(case.frames[0])
    await port.expect(case.replies[0])
    assert int(get_sim_time("ns")) > 20 * case.beats * PERIOD_NS


@singledispatch
def _case(network: StoredNetwork) -> Case:
    raise TypeError(network)


@_case.register
def _(network: Network) -> Case:
    e = network.embedding
    shape = (FRAMES, e.height, e.width, e.channels)
    images = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    logits = golden(network, images).integers["logits"].tolist()
    return Case(
        size=1,
        beats=link_format(network).input_bytes,
        frames=tuple(image.tobytes() for image in images),
        replies=tuple(_result(int(np.argmax(row)), row) for row in logits),
        cycles=(2, 6),
        steady=True,
        pipelined=False,
    )


@_case.register
def _(network: WeightlessClassifier) -> Case:
    encoder = network.encoder
    shape = (4 * FRAMES, encoder.features)
    words = np.random.default_rng(2).integers(encoder.lowest, encoder.highest + 1, shape)
    truth, size = weightless_classifier(network, words), CLASSIFIER_BEAT
    replies = [_result(int(n), c) for n, c in zip(truth["class"], truth["counts"], strict=True)]
    return Case(
        size=size,
        beats=-(-link_format(network).input_bytes // size),
        frames=tuple(encoder.pack(words)),
        replies=tuple(replies),
        cycles=(2, 6),
        steady=True,
        pipelined=True,
    )


@_case.register
def _(network: Gpt) -> Case:
    """Tokens of three windows, with a request that takes in many and asks for none."""
    prompt, sampling = [3, 0, 7, 1, 2], Sampling(temperature=200, seed=6)
    chosen = [g.token for g in islice(generate(network, prompt, Sampler(sampling)), 14)]
    session = TextSession(network=network, text=list(prompt), sampling=sampling)
    frames, replies = [], []
    while (done := len(session.text) - len(prompt)) < len(chosen):
        request = session.request(min(3, len(chosen) - done))
        reply = session.expected(request, tuple(chosen[done : done + request.count]))
        session.accept(request, reply)
        frames.append(request.pack())
        replies.append(_packed(reply))
    return Case(
        size=1,
        beats=link_format(network).input_bytes,
        frames=tuple(frames),
        replies=tuple(replies),
        cycles=(4, 8),
        steady=False,
        pipelined=False,
    )


def _result(class_index: int, logits: list[int]) -> bytes:
    return Result(class_index=class_index, cycles=0, logits=tuple(map(int, logits))).pack()


def _packed(reply: TextReply) -> bytes:
    head = ANSWER.pack(reply.status | TURN * reply.turn, len(reply.tokens), reply.place, 0)
    return (head + np.array(reply.tokens, "<u2").tobytes()).ljust(REPLY_BYTES, b"\0")


NETWORKS = {
    "transformer": (random_network(NetworkShape(depth=2, heads=2)), ""),
    "classifier": (random_classifier(features=9, word_bits=11, signed=True), ""),
    "classifier without registers": (random_classifier(features=21, word_bits=4), "rows = 0\n"),
    "folded classifier": (random_classifier(word_bits=11, signed=True), "lanes = 1\n"),
    "decoder": (random_gpt(GptShape(heads=2)), ""),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_axi_stream(name, tmp_path):
    network, plan = NETWORKS[name]
    save_network(network, tmp_path / "network.safetensors")
    (tmp_path / "plan.toml").write_text(plan)
    workspace, _ = generate_verilog(
        tmp_path / "network.safetensors",
        "icebreaker",
        tmp_path / "core",
        plan_file=tmp_path / "plan.toml",
        core=True,
    )
    case = _case(network)
    if "lanes" in plan:
        case = replace(case, pipelined=False)
    simulate_verilog(
        [workspace.core, workspace.path / "core_axis.v"],
        top=AXIS,
        test_file=__file__,
        build_dir=tmp_path / "simulation",
        config=case,
    )
