"""Cycles of the attention engines grow as their formulas say, and so do their operations."""

import json

import pytest

from benchmarks import complexity, engines
from benchmarks.attention_engines import ENGINES, Case, measure
from benchmarks.complexity import METRICS, Row, exponents, operations
from lutformer.model.costs.accounting import count


def growth(engine, columns):
    """How many times as many cycles 32 tokens take after their last input as 16 do."""
    short, long = (measure(Case(engine=engine, tokens=n, columns=columns)) for n in (16, 32))
    return long.after_input / short.after_input


@pytest.mark.parametrize("engine", ["int8 softmax", "Hamming, table"])
def test_pairs_of_tokens_take_time(engine):
    # With 4 columns, so that no row is as short as the division of its sums.
    assert 3.7 < growth(engine, columns=4) < 4.05


@pytest.mark.parametrize("engine", ["linear, kernel hash", "linear, linear hash"])
def test_tokens_take_time(engine):
    assert 1.8 < growth(engine, columns=4) < 2.05


def test_causal_linear_attention_ends_with_its_input():
    assert growth("linear, linear hash, causal", columns=16) < 1.2


@pytest.mark.parametrize("engine", ENGINES)
def test_projections_are_left_out(engine):
    layer = complexity.layer(Case(engine=engine, tokens=4))
    inside, everything = operations(layer, 64), count(layer, 64)
    rows = 16 * (3 if engine.startswith("linear") else 4)
    products = 64 * rows * 16  # of so many rows of 16 channels with 64 tokens
    assert everything.additions - inside.additions >= products
    assert inside.additions < everything.additions < inside.additions + 2 * products


def test_json_and_picture(capsys, tmp_path):
    some = ["Hamming, table", "linear, linear hash"]
    arguments = ["--tokens", "8", "4", "--engines", *some, "--json", "-o", str(tmp_path)]
    complexity.main(arguments)
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"rows", "figures", "shape", "exponents", "picture"}
    assert [(row["tokens"], row["engine"]) for row in found["figures"]] == [
        (n, engine) for n in (4, 8) for engine in some
    ]
    assert all(set(row) == set(Row.__dataclass_fields__) for row in found["figures"])
    assert [row["at_most"] for row in found["rows"]] == [2.05, 1.05]
    assert list(found["exponents"]) == some
    assert all(set(one) == set(METRICS) for one in found["exponents"].values())
    assert (tmp_path / "complexity.png").read_bytes()[1:4] == b"PNG"


def test_exponents_of_a_square():
    rows = [
        Row(
            engine="",
            tokens=n,
            cycles=n * n,
            cycles_after_input=1,
            multiplications=0,
            operations=5 * n,
            energy_pj=1,
            memory_bits=1,
            block_memory_bits=1,
        )
        for n in (2, 8, 16)
    ]
    assert exponents(rows, "cycles") == (2.0, 2.0)
    assert exponents(rows, "operations") == (1.0, 1.0)


def test_throughputs_are_nearly_equal():
    cases = [
        Case(engine=engine, tokens=64, heads=4, columns=columns, hash_lanes=lanes)
        for engine, (columns, lanes) in engines.LANES.items()
    ]
    cycles = [engines.config(case).cycles for case in cases]
    assert max(cycles) <= 1.1 * min(cycles)


@pytest.mark.parametrize("family", ["iCE40", "ECP5, no DSP"])
def test_an_engine_is_synthesised(family):
    case = Case(engine="linear, linear hash", tokens=4, columns=2)
    row = engines.synthesise(family, case, 0)
    assert row.lut4 > 100
    assert row.ff > 100
    assert (row.dsp > 0) == ("no DSP" not in family)
