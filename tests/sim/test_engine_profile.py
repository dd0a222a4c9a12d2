"""The profile of an inference: by hand, and of whole cores against what else is known of them."""

from itertools import pairwise

import numpy as np
import pytest

from lutformer.hdl.core.decoder_core import DecoderCore
from lutformer.hdl.core.probes import EngineProbe, Probes, probes
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.plan.plan import Plan
from lutformer.hdl.planner.bound import bound, pass_cycles
from lutformer.hdl.transformer.accelerator import Accelerator
from lutformer.hdl.transformer.decoder import stored_weights
from lutformer.hdl.transformer.program import Instruction, compile_network
from lutformer.model.sampling import Sampling
from lutformer.sim.core_bench import watched
from lutformer.sim.decoder import simulate_decoder
from lutformer.sim.engine_profile import profile, watched_wires
from lutformer.sim.network import simulate_network
from lutformer.sim.options import SimulationOptions
from lutformer.sim.runner import CocotbFailure
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.testing.random_network import NetworkShape, random_network

PROGRAM = (Instruction(name="one", matvec=0), Instruction(name="two", matvec=1, mlp=0))
WAVES = {  # of two runs; a character is a cycle
    "busy": ".###..########..",
    "offered": "..#...#...##....",
    "ready": "####..#....#####",
    "came": "..#....#.#..#...",
    "could": "####.....#######",
    "left": "...#......#.##..",
    "taken": "#############...",
}


def streams(*names):
    return tuple(((first,), (second,)) for first, second in names)


def by_hand(**waves):
    engine = EngineProbe(
        field="matvec",
        job=streams(("offered", "ready"))[0],
        inputs=streams(("came", "could")),
        outputs=streams(("left", "taken")),
    )
    found = Probes(busy=("busy",), engines={"matvec": engine})
    wires = [name for (name,) in watched_wires(found)]
    levels = WAVES | waves
    changes = [
        (number, cycle + 40, int(level == "#"))
        for number, name in enumerate(wires)
        for cycle, level in enumerate(levels[name])
        if cycle == 0 or levels[name][cycle - 1] != level
    ]
    return profile(PROGRAM, found, np.array(changes))


def test_an_engine_works_from_the_first_word_in_to_the_last_word_out():
    found = by_hand()
    assert found.cycles == 8
    assert found.spans == (("matvec", "one", 3, 5), ("matvec", "two", 6, 7))


def test_without_inputs_it_works_from_its_job_on():
    found = by_hand(could="." * 16)
    assert found.spans == (("matvec", "one", 0, 5), ("matvec", "two", 5, 7))


def test_a_job_too_many_is_noticed():
    with pytest.raises(AssertionError, match=r"^matvec took 3 jobs of 2$"):
        by_hand(ready="####..#...######")


NETWORKS = {
    "weightless": (NetworkShape(depth=2), Plan()),
    "softmax, GELU": (
        NetworkShape(attention="softmax", mlp="gelu", dim=12, heads=2, kind="int8"),
        Plan(in_lanes=4, out_lanes=4, columns=6),
    ),
}


@pytest.mark.parametrize(("shape", "plan"), NETWORKS.values(), ids=NETWORKS)
def test_profile_of_a_network(shape, plan, tmp_path):
    network = random_network(shape)
    (tmp_path / "core.v").write_text(emit(Accelerator(network, plan), top="lutformer_core"))
    e = network.embedding
    images = np.random.default_rng(1).integers(0, 256, (2, e.height, e.width, e.channels), np.uint8)
    result = simulate_network(
        network,
        tmp_path / "core.v",
        images,
        SimulationOptions(build_dir=tmp_path, simulator="icarus"),
        probes=probes(Accelerator(network, plan)),
    )
    found = result.profile
    assert found is not None
    assert found.cycles == result.cycles_per_inference
    least = bound(network, plan)
    for engine in ("matvec", "attention", "mlp", "patches", "layer_norm"):
        spans = [span for span in found.spans if span.engine == engine]
        busy = sum(span.end - span.start for span in spans)
        assert least[engine] <= busy <= found.cycles, engine
        for before, after in pairwise(spans):
            assert 0 <= before.start < before.end <= after.start
    passes = [span for span in found.spans if span.engine == "matvec"]
    program = [step.name for step in compile_network(network) if step.matvec is not None]
    assert [span.instruction for span in passes] == program
    assert passes[-1].end == found.cycles  # the last logit ends the program


@pytest.mark.parametrize("stored", [False, True])
def test_profile_of_a_token(stored, tmp_path):
    network = random_gpt(GptShape(heads=2, dim=12, depth=2))
    plan = Plan(in_lanes=4, out_lanes=4, lanes=16, external_weights=stored)
    core = DecoderCore(network, plan)
    (tmp_path / "core.v").write_text(emit(core, top="lutformer_core"))
    result = simulate_decoder(
        network,
        tmp_path / "core.v",
        [1, 2],
        SimulationOptions(build_dir=tmp_path, simulator="icarus"),
        tokens=3,
        sampling=Sampling(),
        weights=stored_weights(network, plan) if stored else b"",
        probes=probes(DecoderCore(network, plan)),
    )
    found, least = result.profile, bound(network, plan)
    assert result.mismatches == 0
    assert found is not None
    assert least["bound"] <= found.cycles < result.cycles_per_inference
    assert {span.engine for span in found.spans} == set(least) - {"bound"}
    for engine in set(least) - {"bound"}:
        spans = [span for span in found.spans if span.engine == engine]
        assert sum(span.end - span.start for span in spans) >= least[engine], engine
    # Passes of a token follow each other.
    passes = [span for span in found.spans if span.engine == "matvec"]
    assert all(one.end <= two.start for one, two in pairwise(passes))
    assert set(pass_cycles(network, plan)) >= {span.instruction for span in passes}


def test_verilog_of_another_version_is_refused(tmp_path):
    network = random_network(NetworkShape())
    text = emit(Accelerator(network, Plan()), top="lutformer_core")
    assert "job__ready" in text
    (tmp_path / "core.v").write_text(text.replace("job__ready", "job_ready"))
    e = network.embedding
    with pytest.raises(CocotbFailure, match=r"The core has no wire '\w+\.job__ready'"):
        simulate_network(
            network,
            tmp_path / "core.v",
            np.zeros((1, e.height, e.width, e.channels), np.uint8),
            SimulationOptions(build_dir=tmp_path, simulator="icarus"),
            probes=probes(Accelerator(network, Plan())),
        )


def test_nothing_is_watched_of_a_core_that_cannot_be_seen():
    """Verilator keeps no handle of the core unless wires of it are named."""
    assert watched(object(), ()).stop().shape == (0, 3)
