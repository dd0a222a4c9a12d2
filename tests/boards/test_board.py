"""Boards: what the registry finds, and that each data file agrees with its platform."""

import re

import pytest

from lutformer.boards.board import Board, board, boards
from lutformer.boards.pll import ecp5_pll, ice40_pll
from lutformer.errors import UnknownBoard

NAMES = [found.name for found in boards()]


def test_first_boards_are_there():
    assert {"icebreaker", "ulx3s_85f"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_data_agrees_with_the_platform(name):
    found = board(name)
    pins = found.pins()
    assert found.name == name
    assert found.device == pins.device
    assert found.package == pins.package
    crystal = pins.lookup(found.clock)
    assert crystal.clock is not None
    assert round(1 / crystal.clock.period) == found.crystal_hz
    for resource in (found.uart, *found.leds):
        pins.lookup(*resource)
    assert len(found.leds) == 2  # busy, error


@pytest.mark.parametrize("name", NAMES)
def test_baud_rate_is_within_one_percent(name):
    found = board(name)
    clocks = round(found.clock_hz / found.baud)
    assert abs(found.clock_hz / clocks / found.baud - 1) < 0.01


def test_unknown_board_names_those_there_are():
    message = r"^No board is called 'icebraker'; there are icebreaker, ulx3s_85f, or a path to "
    with pytest.raises(UnknownBoard, match=message):
        board("icebraker")


def test_module_that_is_no_board_is_refused():
    with pytest.raises(UnknownBoard, match=r"^No board is called 'wrapper'; "):
        board("wrapper")


def test_board_of_a_user_is_one_data_file(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from lutformer.boards.board import board\n"
        "BOARD = board('icebreaker').model_copy(update={'name': 'mine'})\n"
    )
    assert board(str(mine)).name == "mine"


def test_file_without_a_board_is_refused(tmp_path):
    empty = tmp_path / "empty.py"
    empty.write_text("")
    with pytest.raises(
        UnknownBoard, match=r"is not a board: it must assign BOARD = Board\(\.\.\.\)$"
    ):
        board(str(empty))


def test_board_data_is_checked():
    data = board("icebreaker").model_dump()
    with pytest.raises(ValueError, match="clock_hz"):
        Board.model_validate(data | {"clock_hz": 0})
    with pytest.raises(ValueError, match="family"):
        Board.model_validate(data | {"family": "xc7"})


@pytest.mark.parametrize(("crystal", "clock"), [(25, 50), (25, 75), (12, 60), (48, 64), (100, 120)])
def test_ecp5_pll_gives_the_clock(crystal, clock):
    pll = ecp5_pll(crystal * 10**6, clock * 10**6)
    assert crystal * pll.feedback / pll.reference == clock
    assert 400 <= clock * pll.output <= 800
    assert crystal / pll.reference >= 10


@pytest.mark.parametrize(
    ("crystal", "clock"), [(12, 48), (12, 30), (12, 16.5), (16, 25), (100, 60)]
)
def test_ice40_pll_gives_the_clock(crystal, clock):
    pll = ice40_pll(crystal * 10**6, round(clock * 10**6))
    vco = crystal * (pll.f + 1) / (pll.r + 1)
    assert vco / 2**pll.q == clock
    assert 533 <= vco <= 1066
    assert crystal / (pll.r + 1) >= 10


def test_ice40_pll_is_that_of_icepll():
    # `yowasp-icepll -i 12 -o 30` prints these.
    pll = ice40_pll(12_000_000, 30_000_000)
    assert (pll.r, pll.f, pll.q, pll.filter_range) == (0, 79, 5, 1)


@pytest.mark.parametrize("pll", [ecp5_pll, ice40_pll])
def test_impossible_clock_is_refused(pll):
    message = re.escape("No PLL setting gives 12345677 Hz from a crystal of 12000000 Hz")
    with pytest.raises(ValueError, match=f"^{message}$"):
        pll(12_000_000, 12_345_677)
