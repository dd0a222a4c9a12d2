"""What the benchmark of all boards keeps, and what it says where there is no bitstream."""

import pytest

from benchmarks import boards as module
from benchmarks.boards import measured
from lutformer.boards.build.bitstream import BuildResult
from lutformer.errors import TimingMissed
from lutformer.model.network.network_file import save_network
from lutformer.testing.random_network import NetworkShape, random_network


@pytest.fixture
def work(monkeypatch):
    """Return what simulation and build would have done, which they only note here."""
    done = []

    def simulate(workspace, frames):
        done.append("simulate")
        return {"cycles": 1000, "integers": 7}

    def build(top, board, directory, progress):
        done.append(f"build {board.name}")
        (directory / "top.bin").write_bytes(b"bits")
        kinds = ("lut4", "ff", "cells", "ebr", "dsp")
        return BuildResult(
            board=board.name,
            device=board.device,
            bitstream="top.bin",
            bitstream_sha256="",
            resources=dict.fromkeys(kinds, 3),
            available=dict.fromkeys(kinds, 4),
            timing={"fmax_mhz": 20.0, "nextpnr_mhz": 20.0, "clock_mhz": 12.0},
            critical_path=[],
            seed=1,
            versions={},
            commands=[],
            seconds={},
            key="",
        )

    monkeypatch.setattr(module, "simulate_frames", simulate)
    monkeypatch.setattr(module, "build", build)
    return done


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "network.safetensors"
    save_network(random_network(NetworkShape()), path)
    return path


def test_a_row_is_kept_and_boards_of_one_plan_share_a_simulation(work, network, tmp_path):
    row = measured(network, "icebreaker", tmp_path)
    assert (row.verdict, row.bitstream_bytes, row.integers) == ("built", 4, 7)
    assert (row.images_at_fmax, row.images_at_clock) == (20_000.0, 12_000.0)
    assert measured(network, "icebreaker", tmp_path) == row
    measured(network, "upduino_v3", tmp_path)
    assert work == ["simulate", "build icebreaker", "build upduino_v3"]
    save_network(random_network(NetworkShape(), seed=1), network)
    measured(network, "icebreaker", tmp_path)
    assert work[3:] == ["simulate", "build icebreaker"]


def test_too_slow_is_told_with_the_numbers(work, network, tmp_path, monkeypatch):
    def slow(*arguments, **options):
        raise TimingMissed("The design reaches 10 MHz", fmax_mhz=10.0, clock_mhz=12.0)

    monkeypatch.setattr(module, "build", slow)
    row = measured(network, "icebreaker", tmp_path)
    assert row.verdict == "The design reaches 10 MHz"
    assert (row.fmax_mhz, row.cycles, row.bitstream_bytes) == (10.0, 1000, None)


def test_too_large_is_told_with_the_numbers(work, network, tmp_path):
    large = random_network(NetworkShape(dim=128, depth=4, luts=(2000,)))
    save_network(large, network)
    row = measured(network, "hx8k_breakout", tmp_path)
    assert "of 32 block memories" in row.verdict
    assert (row.plan, row.cycles) == (None, None)
    assert work == []
