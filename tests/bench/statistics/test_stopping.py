"""How many trials a cell gets."""

import math
from dataclasses import replace

import pytest
from warpbench.bench.statistics.intervals import student_reach
from warpbench.bench.statistics.stopping import Sampling, trials_for

from ...built import CELL

pytestmark = pytest.mark.once


def test_without_a_budget_each_cell_gets_its_number() -> None:
    sampling = Sampling(trials=3)
    assert sampling.wants([])
    assert sampling.wants([1.0, 2.0])
    assert not sampling.wants([1.0, 2.0, 3.0])
    assert sampling.expected(30, 5.0, 7) == 30


def test_with_a_budget_only_uncertain_cells_get_more() -> None:
    sampling = Sampling(trials=3, budget_s=60)
    assert not sampling.wants([100.0, 100.1, 99.9])
    assert sampling.wants([100.0, 150.0, 70.0])
    assert not sampling.wants([0.0, 0.0, 0.0])  # every session failed: no more will tell


def test_one_trial_tells_nothing_of_its_own_scatter() -> None:
    assert Sampling(trials=1, budget_s=60).wants([100.0])


@pytest.mark.parametrize(
    ("spent_s", "done", "fits"), [(50, 10, True), (55, 10, False), (70, 10, False)]
)
def test_no_trial_begins_that_would_outlast_the_budget(
    spent_s: float, done: int, fits: bool
) -> None:
    assert Sampling(trials=3, budget_s=60).is_in_time(spent_s, done) is fits


def test_what_is_to_come_follows_from_the_pace_so_far() -> None:
    assert Sampling(trials=1, budget_s=60).expected(4, 30, 10) == 20
    assert Sampling(trials=3, budget_s=60).expected(60, 30, 10) == 60
    assert Sampling(trials=3, budget_s=60, most=8).expected(60, 30, 10) == 60
    assert Sampling(trials=3, budget_s=60, most=8).expected(60, 30, 60) == 61


def test_no_cell_gets_more_trials_than_the_most() -> None:
    sampling = Sampling(trials=3, budget_s=60, most=4)
    assert sampling.wants([100.0, 150.0, 70.0])
    assert not sampling.wants([100.0, 150.0, 70.0, 99.0])


def test_a_cell_may_take_more_trials_than_the_others() -> None:
    sampling = Sampling(trials=3, budget_s=60, trials_by_cell={CELL: 5})
    assert sampling.of_cell(CELL).trials == 5
    assert sampling.of_cell(replace(CELL, concurrency=1)).trials == 3
    assert sampling.of_cell(CELL).wants([1.0, 1.0, 1.0, 1.0])


def test_a_cell_that_is_certain_gets_no_more_but_has_two_trials_at_least() -> None:
    sampling = Sampling(trials=5, certain=0.005)
    assert sampling.wants([1.0])
    assert not sampling.wants([1.0, 1.0005])
    assert sampling.wants([1.0, 1.001])
    assert not sampling.wants([1.0, 1.0, 1.001])
    assert sampling.wants([1.0, 1.0, 1.01])
    assert not sampling.wants([1.0, 1.0, 1.01, 1.0, 1.0])


def test_a_number_that_was_asked_for_is_kept_however_certain_a_cell_is() -> None:
    assert Sampling(trials=5).wants([1.0, 1.0, 1.0, 1.0])


@pytest.mark.parametrize(("share", "trials"), [(1.0, 3), (0.6, 4), (0.42, 4), (0.4, 5), (0.25, 5)])
def test_fewer_sessions_take_more_trials(share: float, trials: int) -> None:
    assert trials_for(share) == trials


@pytest.mark.parametrize("share", [1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.25])
def test_with_more_trials_of_fewer_sessions_the_interval_is_no_wider(share: float) -> None:
    scatter = 0.01
    before = student_reach(3) * scatter
    assert student_reach(trials_for(share)) * scatter / math.sqrt(share) <= before * 1.001
