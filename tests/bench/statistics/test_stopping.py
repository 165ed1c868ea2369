"""How many trials a cell gets."""

import pytest
from warpbench.bench.statistics.stopping import Sampling


def test_without_a_budget_each_cell_gets_its_number() -> None:
    sampling = Sampling(trials=3)
    assert sampling.wants([])
    assert sampling.wants([1.0, 2.0])
    assert not sampling.wants([1.0, 2.0, 3.0])
    assert sampling.expected(10, 5.0, 7) == 30


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
    assert Sampling(trials=3, budget_s=60).expected(20, 30, 10) == 60
