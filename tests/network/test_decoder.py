"""Whole decoders: every logit, every residual value and every token equal to golden."""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import cocotb
import numpy as np
import pytest

from lutformer.boards.board import board
from lutformer.errors import UsageError
from lutformer.hdl.plan.plan import Plan
from lutformer.hdl.planner.bound import bound, pass_cycles
from lutformer.hdl.planner.planner import make_plan
from lutformer.hdl.transformer.decoder import Decoder, job_layout, stored_weights
from lutformer.model.network.generation import generate
from lutformer.model.network.gpt import gpt
from lutformer.model.sampling import Sampler, Sampling
from lutformer.sim.bench import Bench, Monitor, Sink, Source
from lutformer.sim.decoder import written
from lutformer.sim.runner import config_from_env, simulate
from lutformer.testing.random_gpt import GptShape, random_gpt

LINEAR: dict[str, Any] = {"attention": "linear", "hash": "linear", "form": "and"}


@dataclass(frozen=True, kw_only=True)
class Case:
    shape: GptShape
    plan: Plan
    count: int = 6  # tokens of each text
    loud: bool = False  # embeddings at both ends of the range, so that sums leave it
    pace: float = 0.0  # cycles of a token over their bound at most; 0 for any


CASES = {
    "saturating": Case(shape=GptShape(heads=2), plan=Plan(), loud=True),
    "linear, and, 64 tokens": Case(
        shape=GptShape(**LINEAR, heads=2, depth=2, block_size=80), plan=Plan(columns=4), count=64
    ),
    "linear, and, endless": Case(
        shape=GptShape(**LINEAR, heads=3, dim=24, positions=False, kind="int8", mlp="gelu"),
        plan=Plan(in_lanes=8, out_lanes=3, columns=3),
    ),
    "EcoFormer": Case(
        shape=GptShape(attention="linear", heads=2, vocabulary=33), plan=Plan(columns=2)
    ),
}
CASES |= {
    "hamming, powers, penalty": Case(
        shape=GptShape(weighting="power", alibi=True, depth=2, dim=16, heads=2, block_size=66),
        plan=Plan(columns=8),
        count=64,
    ),
    "hamming, narrow": Case(
        shape=GptShape(heads=2, positions=False),
        plan=Plan(two_cycle_multiply=True, registers=False),
    ),
    "softmax, GELU": Case(
        shape=GptShape(attention="softmax", mlp="gelu", kind="int8", depth=2, heads=2),
        plan=Plan(columns=4, in_lanes=2, out_lanes=2),
    ),
}
CASES |= {
    "weights loaded": Case(
        shape=GptShape(heads=2, dim=12, depth=2),
        plan=Plan(in_lanes=4, out_lanes=4, lanes=16, external_weights=True),
    ),
    "weights loaded, GELU": Case(
        shape=GptShape(mlp="gelu", kind="int8"),
        plan=Plan(in_lanes=2, out_lanes=4, external_weights=True),
    ),
}
CASES |= {
    "coder, squares, many lanes": Case(
        shape=GptShape(**LINEAR, heads=2, dim=12, depth=2, luts=(300,)),
        plan=Plan(columns=3, lanes=200, coder=True, square=True),
    ),
    "coder, hamming": Case(shape=GptShape(heads=2), plan=Plan(out_lanes=2, coder=True)),
}
SAMPLINGS = [Sampling(temperature=300, seed=9), Sampling(), Sampling(temperature=90, top_k=3)]


def network_of(case):
    network = random_gpt(case.shape)
    if not case.loud:
        return network
    token = np.where(network.embedding.token < 0, -1, 1) * 32760
    return replace(network, embedding=replace(network.embedding, token=token))


def job(prompt, count, sampling):
    return job_layout().const(
        {
            "reset": 1,
            "prompt": len(prompt),
            "count": count,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "reseed": 1,
            "seed": sampling.seed,
        }
    )


async def load(dut, bench, weights):
    """Begin, begin again, load all; until then no job is taken."""
    source = Source(dut, "load", idle=0.1)
    bench.agents.append(source)
    source.send(weights[: len(weights) // 2])
    await bench.until(lambda: source.empty)
    dut.reload.value = 1
    await bench.step()
    dut.reload.value = 0
    source.send(weights[:-1])
    await bench.until(lambda: source.empty)
    assert not int(dut.loaded.value)
    assert not int(dut.job__ready.value)
    source.send(weights[-1:])
    await bench.until(lambda: source.empty)
    await bench.step()
    assert int(dut.loaded.value)


@cocotb.test(timeout_time=1000, timeout_unit="ms")
@cocotb.parametrize(pauses=[0.0, 0.5])
async def matches_golden(dut, pauses):
    case = config_from_env(Case)
    network = network_of(case)
    jobs, prompts = Source(dut, "job"), Source(dut, "i", idle=pauses)
    tokens = Sink(dut, "o", stall=pauses)
    logits, values = Monitor(dut, "logits"), Monitor(dut, "written")
    bench = Bench(dut, jobs, prompts, tokens, logits, values)
    await bench.start()
    if case.plan.external_weights:
        await load(dut, bench, stored_weights(network, case.plan))
    rng = np.random.default_rng(1)
    for number, sampling in enumerate(SAMPLINGS):
        count = min(case.count, network.block_size) if number == 0 else 2
        prompt = rng.integers(0, case.shape.vocabulary, number + 1).tolist()
        expected = list(islice(generate(network, prompt, Sampler(sampling)), count))
        chosen = [step.token for step in expected]
        for monitor in (tokens, logits, values):
            monitor.words.clear()
            monitor.times.clear()
        jobs.send([job(prompt, count, sampling).as_bits()])
        prompts.send(prompt)
        await bench.until(lambda n=count: len(tokens.words) >= n, sleep=True)
        last = 1 << (case.shape.vocabulary - 1).bit_length()
        assert tokens.words == [*chosen[:-1], chosen[-1] | last]
        golden = gpt(network, [prompt + chosen[:-1]])
        assert np.array_equal(logits.words, golden["logits"].ravel())
        if case.pace and not pauses and not sampling.top_k:
            cycles = tokens.times[-1] - tokens.times[-2]
            least = bound(network, case.plan)["bound"]
            assert cycles <= case.pace * least, f"{cycles} cycles, bound {least}"
        assert np.array_equal(values.words, written(network, golden).ravel())
    bench.stop()


LARGE = {
    "width 128, 4 layers, for an ECP5": Case(
        shape=GptShape(
            **LINEAR, dim=128, depth=4, heads=4, code_bits=32, luts=(1024,), vocabulary=65
        ),
        plan=Plan(in_lanes=8, out_lanes=16, lanes=1024, columns=32, square=True, coder=True),
        pace=1.3,
    ),
    "width 64, 2 layers, for an iCE40 UP": Case(
        shape=GptShape(
            dim=64,
            depth=2,
            heads=4,
            code_bits=16,
            weighting="power",
            alibi=True,
            positions=False,
            luts=(256,),
            vocabulary=65,
        ),
        plan=Plan(
            in_lanes=8,
            out_lanes=2,
            lanes=16,
            columns=1,
            external_weights=True,
            two_cycle_multiply=True,
            registers=False,
            popcount="carry",
        ),
        pace=1.3,
    ),
}


def test_sums_leave_the_range():
    case = CASES["saturating"]
    integers = gpt(network_of(case), [np.arange(case.shape.block_size)])
    for name in ("embedding", "blocks.0.attention", "blocks.0.mlp"):
        assert (integers[name].min(), integers[name].max()) == (-32768, 32767), name


def run(case, build_dir, **options):
    component = Decoder(network_of(case), case.plan)
    simulate(component, test_file=__file__, build_dir=build_dir, config=case, **options)


@pytest.mark.parametrize("name", CASES)
def test_decoder(name, tmp_path):
    run(CASES[name], tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LARGE)
def test_large_decoder(name, tmp_path):
    run(LARGE[name], tmp_path, simulator="verilator")


def test_engines_of_one_memory_read_words_of_one_width():
    network = random_gpt(GptShape())
    message = r"^Engines that share a memory must read words of one width, not \[32, 64\] bits$"
    with pytest.raises(ValueError, match=message):
        stored_weights(network, Plan(in_lanes=4, out_lanes=4, lanes=32, external_weights=True))


def test_vectors_must_fill_words():
    network = random_gpt(GptShape(dim=6))
    message = r"^Vectors of 6 channels of 16 bits cannot be stored in words of 64 bits$"
    with pytest.raises(ValueError, match=message):
        stored_weights(network, Plan(in_lanes=8, out_lanes=4, lanes=32, external_weights=True))


def test_stored_weights_leave_no_engine_for_codes():
    network = random_gpt(GptShape(heads=2))
    with pytest.raises(ValueError, match=r"^A plan with external weights has one matrix engine"):
        stored_weights(network, Plan(coder=True, external_weights=True))


def test_plans_suit_their_boards():
    network = random_gpt(GptShape(heads=2, dim=16, positions=False))
    large, small = (make_plan(network, board(name)) for name in ("ulx3s_85f", "icebreaker"))
    assert (large.coder, large.square, large.external_weights) == (True, True, False)
    assert (small.coder, small.square, small.external_weights) == (False, False, True)


def test_bound_is_the_sum_of_the_passes():
    shape = GptShape(**LINEAR, heads=2, dim=16, code_bits=8, vocabulary=65, luts=(64,))
    plan = Plan(in_lanes=4, out_lanes=4, lanes=16, columns=8)
    cycles = bound(random_gpt(shape), plan)
    # Projections: 16 + 16 codes and 16 values, then 16 outputs; the head: 65; weights 16 a cycle.
    assert cycles["matvec"] == 48 + 16 + 68
    assert cycles["attention"] == 2 * 9  # rows of either head's state
    assert cycles["mlp"] == 16 * 4
    assert cycles["layer_norm"] == 3 * 16  # before projections, MLP and head
    assert cycles["embedding"] == 16
    assert cycles["bound"] == sum(cycles.values()) - cycles["bound"]


@pytest.mark.parametrize(
    ("shape", "mlp"),
    [
        (GptShape(**LINEAR, heads=2, dim=16, depth=2, luts=(64,)), ["mlp"]),
        (GptShape(mlp="gelu", kind="int8", dim=16, depth=2), ["expand", "reduce"]),
    ],
)
def test_passes_come_to_the_bound(shape, mlp):
    network = random_gpt(shape)
    plan = Plan(in_lanes=4, out_lanes=4, lanes=16, columns=4, coder=shape.attention == "linear")
    found = pass_cycles(network, plan)
    stages = ["project", "attention", "mix", *mlp]
    assert list(found) == ["embed", *(f"{s} {n}" for n in range(2) for s in stages), "head"]
    assert sum(found.values()) == bound(network, plan)["bound"]
    assert found["embed"] == 16
    assert found["head"] == 16 + 12  # the norm; 11 rows, 4 at a time, of 16 weights, 4 at a time


def test_stored_plans_whose_engines_disagree_are_refused():
    network = random_gpt(GptShape(heads=2, dim=16))
    lanes = {"in_lanes": 4, "out_lanes": 4, "lanes": 32, "external_weights": True}
    with pytest.raises(UsageError, match=r"^All engines read external weights: "):
        make_plan(network, board("icebreaker"), lanes)
    assert make_plan(network, board("icebreaker"), lanes | {"lanes": 16}).external_weights
