"""The form that the planner chooses for a classifier, by what the chip has."""

import pytest

from lutformer.boards.board import board
from lutformer.errors import DoesNotFit, UsageError
from lutformer.hdl.planner.classifier_planner import make_classifier_plan
from lutformer.testing.random_classifier import random_classifier

ICEBREAKER = board("icebreaker")
NETWORK = random_classifier(features=8, word_bits=8, luts=(96,) * 8, fan_in=6, classes=4)


def with_room(**resources):
    budget = ICEBREAKER.budget.model_copy(update=resources)
    return ICEBREAKER.model_copy(update={"budget": budget})


def test_what_fits_is_spatial_with_as_many_rows_as_the_clock_allows():
    plan = make_classifier_plan(NETWORK, ICEBREAKER)
    assert (plan.lanes, plan.rows, plan.fabric) == (0, 18, "ice40")
    assert (plan.board, plan.clock_hz, plan.baud) == ("icebreaker", 12_000_000, 1_000_000)


def test_a_smaller_chip_looks_tables_up_and_a_larger_one_more_at_a_time():
    lanes = [make_classifier_plan(NETWORK, with_room(luts=luts)).lanes for luts in (1800, 2600)]
    assert 1 <= lanes[0] < lanes[1]


def test_a_core_is_portable_and_fast():
    plan = make_classifier_plan(NETWORK, ICEBREAKER, core=True)
    assert (plan.rows, plan.fabric) == (4, "lut4")


def test_what_is_said_is_not_chosen():
    said = {"lanes": 3, "fabric": "lut4", "rows": 5, "baud": 9600}
    plan = make_classifier_plan(NETWORK, ICEBREAKER, said)
    assert plan.model_dump(include=set(said)) == said


def test_what_fits_in_no_form_is_refused_with_the_numbers():
    with pytest.raises(DoesNotFit, match=r"needs about \d+ of 700 logic cells; use a smaller net"):
        make_classifier_plan(NETWORK, with_room(luts=700))
    with pytest.raises(DoesNotFit, match=r" of 1500 logic cells|, \d+ of 2 block memories"):
        make_classifier_plan(NETWORK, with_room(luts=1500, ebr=2))


def test_cells_of_another_chip_are_refused():
    with pytest.raises(UsageError, match=r"iCEBreaker has no cells of the ecp5; leave the field"):
        make_classifier_plan(NETWORK, ICEBREAKER, {"fabric": "ecp5"})
