"""The noise of the link's benchmark: that it is some, and that it is counted."""

import json
from dataclasses import asdict, replace

import pytest

from benchmarks.link_noise import DIVISOR, Noise, Rates, measure, residual
from lutformer.errors import LutformerError
from lutformer.sim.stepped_board import SteppedBoard

LEAST = 30_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("noise")


@pytest.fixture(scope="module")
def counts(directory):
    return measure(LEAST, 1, directory)


def test_no_answer_is_wrong_and_the_board_comes_back(counts):
    assert (counts.wrong, counts.lock_ups) == (0, 0)
    assert counts.bytes_to_board + counts.bytes_to_host >= LEAST
    assert min(counts.bytes_to_board, counts.bytes_to_host) > LEAST // 5


def test_there_is_noise_of_each_kind(counts):
    assert set(counts.faults) == {"flips", "drops", "repeats", "junk"}
    assert min(counts.faults.values()) > 50
    assert counts.retries > 50
    assert counts.answers > counts.given_up > 0
    assert counts.requests == counts.answers + counts.given_up
    json.dumps(asdict(counts))


def test_a_seed_gives_one_run(counts, directory):
    again = measure(LEAST, 1, directory)
    assert replace(again, seconds=counts.seconds) == counts


def test_a_simulator_that_is_gone_is_told(counts, directory):
    with SteppedBoard(directory / "top.v", divisor=DIVISOR, build_dir=directory) as board:
        assert board.run(b"", 100) == b""
        assert board.cycles == 100
        board._process.kill()
        board._process.wait()
        with pytest.raises(LutformerError, match=r"^The simulated board ended with -9$"):
            board.run(b"", 100)


def test_noise_is_counted():
    noise = Noise(1)
    data = bytes(range(256)) * 20
    assert noise.damage(data) == data
    assert noise.junk(data) == b""
    noise.rates = Rates(drop=0.1)
    assert len(noise.damage(data)) == len(data) - noise.faults["drops"]
    noise.rates = Rates(repeat=0.1)
    assert len(noise.damage(data)) == len(data) + noise.faults["repeats"]
    noise.rates = Rates(flip=0.1)
    changed = [(a ^ b).bit_count() for a, b in zip(data, noise.damage(data), strict=True)]
    assert max(changed) == 1
    assert sum(changed) == noise.faults["flips"]
    noise.rates = Rates(junk=1.0)
    assert len(noise.junk(data)) == noise.faults["junk"] > 0


def test_damaged_frames_that_a_crc_lets_pass():
    found = residual(100_000, 2)
    assert found["damaged"] == 100_000
    assert found["crc16"] < 12  # 1.5 are expected
    assert found["crc32"] == 0
