"""WeightedSum against weighted_sum: powers of two, keys without a weight, causal rows."""

from types import SimpleNamespace
from typing import Any

import cocotb
import numpy as np
import pytest
from amaranth.hdl import Const

from lutformer.hdl.attention.weighted_sum import WeightedSum
from lutformer.hdl.attention.weighted_sum_config import WeightedSumConfig
from lutformer.hdl.lib.row_counter import row_lengths
from lutformer.model.attention import weighted_sum
from lutformer.sim.bench import Bench, Sink, Source
from lutformer.sim.runner import config_from_env, simulate


def config(tokens, head_width, columns, *, heads=2, weight_width=16, **flags):
    top = 1 << weight_width - 1 if flags.get("powers") else (1 << weight_width) - 1
    return WeightedSumConfig(
        tokens=tokens,
        heads=heads,
        head_width=head_width,
        columns=columns,
        weight_width=weight_width,
        sum_width=(tokens * top).bit_length(),
        **flags,
    )


CONFIGS = [
    config(1, 3, 2, powers=True),
    config(2, 5, 5, powers=True, registers=False),
    config(17, 4, 3, powers=True, causal=True),
    config(33, 2, 1, weight_width=3, causal=True),
    config(20, 5, 5, powers=True, two_cycle_multiply=True),
    config(9, 40, 40, heads=1, weight_width=1),  # the outputs take longer than all else
]


def weights(config, case):
    """Return the weights of all keys [heads, n, n], the largest ones or random with some zeros."""
    rng = np.random.default_rng(case)
    shape = (config.heads, config.tokens, config.tokens)
    top = config.weight_width - 1
    if config.powers:
        drawn = np.int64(1) << rng.integers(0, top + 1, shape)
        full = np.full(shape, 1 << top)
    else:
        drawn = rng.integers(0, 2 << top, shape)
        full = np.full(shape, (2 << top) - 1)
    if case == 0:
        return full
    drawn = np.where(rng.random(shape) < 0.3, 0, drawn)
    drawn[..., 0] = full[..., 0] if case == 1 else 1  # a row must have a weight
    return drawn


def word(config, weight):
    """Return the word of the stream that stands for a weight."""
    if not config.powers:
        return int(weight)
    exponent = max(int(weight).bit_length() - 1, 0)
    fields = {"exponent": exponent, "keep": int(weight > 0)}
    return Const.cast(config.weight_shape.const(fields)).value


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def matches_golden(dut, idle, stall):
    config = config_from_env(WeightedSumConfig)
    component = WeightedSum(config)
    keys = row_lengths(config.tokens, config.causal)
    top = 1 << config.weight_width - 1 if config.powers else (1 << config.weight_width) - 1
    count = config.tokens * config.heads * config.head_width
    values, out = Source(dut, "values", idle=idle), Sink(dut, "o", stall=stall)
    source = Source(dut, "i", idle=idle)
    bench = Bench(dut, values, source, out)
    await bench.start()
    expected = []
    for case in range(3):
        rng = np.random.default_rng(case)
        value = rng.integers(-128, 128, (config.tokens, config.heads * config.head_width))
        value = np.full_like(value, -128) if case == 0 else value
        weight = weights(config, case)
        layer: Any = SimpleNamespace(causal=config.causal, heads=config.heads)
        expected += weighted_sum(layer, weight, value, top).ravel().tolist()
        values.send(value.ravel().tolist())
        await bench.until(lambda: values.empty)
        await bench.step()
        assert dut.stored.value == 1
        dut.release.value = 1
        await bench.step()
        dut.release.value = 0
        rows = [weight[head, n, :k] for n, k in enumerate(keys) for head in range(config.heads)]
        source.send([word(config, w) for row in rows for w in row])
        goal = (case + 1) * count
        await bench.until(lambda goal=goal: len(out.words) >= goal, sleep=True)
        if idle == stall == 0:
            first = source.times[len(source.times) - sum(map(len, rows)) + keys[0] - 1]
            assert out.offered[case * count] - first == component.latency
            wanted = [component.row_cycles(len(row)) for row in rows]
            late = wanted[-1] * config.causal
            assert out.offered[-1] - out.offered[case * count] < sum(wanted) + late
    await bench.step(50)
    assert out.words == expected
    bench.stop()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_weighted_sum(config, tmp_path):
    component = WeightedSum(config)
    simulate(component, test_file=__file__, build_dir=tmp_path)


def test_powers_of_two_must_be_normalised():
    with pytest.raises(ValueError, match=r"^Powers of two must be normalised: their sum is not 1$"):
        config(2, 2, 2, powers=True, fraction=15)
