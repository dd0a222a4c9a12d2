"""DecoderCore: what its requests do, what it refuses, and what an aborted one leaves."""

from dataclasses import dataclass
from itertools import islice

import cocotb
import numpy as np
import pytest

from lutformer.hdl.core.decoder_core import DecoderCore
from lutformer.hdl.plan.plan import Plan
from lutformer.hdl.transformer.decoder import stored_weights
from lutformer.model.link.text_link import REPLY_BYTES, Flag, Status, TextReply, TextRequest
from lutformer.model.network.generation import generate
from lutformer.model.sampling import Sampler, Sampling
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_gpt import GptShape, random_gpt

BEGIN = Flag.RESET | Flag.RESEED
PIECE = 32


@dataclass(frozen=True, kw_only=True)
class Case:
    shape: GptShape
    plan: Plan


CASES = {
    "contexts with an end": Case(shape=GptShape(heads=2, block_size=8), plan=Plan()),
    "weights loaded": Case(
        shape=GptShape(mlp="gelu"), plan=Plan(in_lanes=4, out_lanes=4, external_weights=True)
    ),
}


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(pauses=[0.0, 0.5])
async def answers(dut, pauses):
    case = config_from_env(Case)
    network = random_gpt(case.shape)
    source, sink = Source(dut, "i", idle=pauses), Sink(dut, "o", stall=pauses)
    bench = Bench(dut, source, sink)
    await bench.start()

    turn = Flag.NONE

    async def send(request):
        sink.words.clear()
        source.send(request.pack())
        await bench.until(lambda: len(sink.words) >= REPLY_BYTES, sleep=True)
        return TextReply.unpack(bytes(sink.words))

    async def ask(flags=Flag.NONE, **request):
        """Ask in turn; what was done must not be done again, and what was refused may be."""
        nonlocal turn
        sent = TextRequest(flags=flags | (turn ^ Flag.TURN), **request)
        reply = await send(sent)
        assert await send(sent) == reply
        if reply.status == Status.DONE:
            turn ^= Flag.TURN
        assert reply.turn == bool(turn)
        return reply

    if case.plan.external_weights:
        weights = stored_weights(network, case.plan)
        pieces = [weights[n : n + PIECE] for n in range(0, len(weights), PIECE)]
        assert (await ask(tokens=(1,), count=1)).status == Status.NOT_LOADED
        for n, piece in enumerate([*pieces[:2], *pieces]):  # begins anew
            flags = Flag.LOAD | (Flag.RELOAD if n in (0, 2) else Flag(0))
            assert (await ask(flags=flags, weights=piece)).status == Status.DONE
    assert (await ask(flags=Flag.LOAD, weights=b"1")).status == Status.REFUSED
    sampling = Sampling(temperature=200, seed=6)
    prompt = (3, 0, 7)
    chosen = [g.token for g in islice(generate(network, prompt, Sampler(sampling)), 6)]
    # A request that is cut off leaves nothing behind.
    source.send(TextRequest(flags=BEGIN, tokens=(1, 2), count=3).pack()[:-1])
    await bench.until(lambda: source.empty)
    dut.abort.value = 1
    await bench.step()
    dut.abort.value = 0
    reply = await ask(flags=BEGIN, tokens=prompt, count=2, sampling=sampling)
    assert (reply.status, list(reply.tokens)) == (Status.DONE, chosen[:2])
    assert reply.cycles > 100
    assert reply.place == len(prompt) + 1
    # It goes on with the last token, which was not taken in.
    reply = await ask(tokens=reply.tokens[-1:], count=4, sampling=sampling)
    assert (reply.status, list(reply.tokens)) == (Status.DONE, chosen[2:])
    assert (await ask(tokens=(1,), count=1)).status == Status.FULL
    assert (await ask(count=1)).status == Status.REFUSED
    assert (await ask(flags=BEGIN, tokens=(5,), count=0)).status == Status.DONE
    expected = next(generate(network, np.array([5, 9]), Sampler(Sampling()))).token
    assert (await ask(tokens=(9,), count=1)).tokens == (expected,)
    bench.stop()


@pytest.mark.parametrize("name", CASES)
def test_decoder_core(name, tmp_path):
    case = CASES[name]
    component = DecoderCore(random_gpt(case.shape), case.plan)
    simulate(component, test_file=__file__, build_dir=tmp_path, config=case)
