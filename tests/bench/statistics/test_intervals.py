"""Intervals hold what they promise, and are silent where trials cannot carry one."""

import math
from random import Random
from statistics import stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from warpbench.bench.statistics.intervals import (
    CONFIDENCE,
    FEWEST_FOR_BOOTSTRAP,
    interval_of,
    ratio_interval,
)

pytestmark = pytest.mark.once

FIGURES = st.floats(0.001, 1e6)
SIX_TO_TWELVE = st.lists(FIGURES, min_size=6, max_size=12)


def test_one_trial_or_one_that_carried_nothing_has_no_interval() -> None:
    assert interval_of([]) is None
    assert interval_of([3.0]) is None
    assert interval_of([3.0, 0.0, 2.0]) is None
    assert ratio_interval([1.0, 2.0], [1.0, 0.0]) is None


@pytest.mark.parametrize("count", [2, 5, 6, 20])
def test_trials_that_are_all_the_same_leave_nothing_open(count: int) -> None:
    interval = interval_of([80.0] * count)
    assert interval is not None
    assert (interval.low, interval.middle, interval.high) == pytest.approx((80, 80, 80))
    assert interval.half_width == pytest.approx(0)


def test_of_three_trials_it_is_students_of_the_logarithms() -> None:
    interval = interval_of([math.exp(1), math.exp(2), math.exp(3)])
    assert interval is not None
    # By hand: 2 ± 4.303 · 1 / √3.
    assert math.log(interval.low) == pytest.approx(2 - 4.303 / math.sqrt(3))
    assert math.log(interval.high) == pytest.approx(2 + 4.303 / math.sqrt(3))


@pytest.mark.parametrize("count", range(2, FEWEST_FOR_BOOTSTRAP))
def test_students_quantiles_are_those_of_scipy(count: int) -> None:
    values = [math.exp(number) for number in range(count)]
    interval = interval_of(values)
    assert interval is not None
    reach = math.log(interval.high) - math.log(interval.middle)
    quantile = reach * math.sqrt(count) / stdev(range(count))
    assert quantile == pytest.approx(round(student.ppf((1 + CONFIDENCE) / 2, count - 1), 3))


@settings(max_examples=30)
@given(SIX_TO_TWELVE)
def test_of_six_it_lies_within_their_range_and_is_the_same_each_time(values: list[float]) -> None:
    interval = interval_of(values)
    assert interval is not None
    assert interval == interval_of(tuple(values))
    slack = 1 + 1e-9
    assert min(values) <= interval.low * slack
    assert interval.low <= interval.middle * slack
    assert interval.middle <= interval.high * slack
    assert interval.high <= max(values) * slack


@given(st.lists(FIGURES, min_size=2, max_size=5), st.floats(0.01, 100))
def test_a_ratio_to_itself_is_its_factor(values: list[float], factor: float) -> None:
    interval = ratio_interval([value * factor for value in values], values)
    assert interval is not None
    assert interval.middle == pytest.approx(factor)
    assert interval.half_width == pytest.approx(0, abs=1e-6)


def test_what_slows_both_of_a_pair_down_falls_out_of_their_ratio() -> None:
    slow = [1.0, 0.5, 0.8, 0.3]
    ours, theirs = [110 * each for each in slow], [100 * each for each in slow]
    ratio, alone = ratio_interval(ours, theirs), interval_of(ours)
    assert ratio is not None
    assert alone is not None
    assert not ratio.holds(1.0)
    assert alone.half_width > 0.5


@pytest.mark.parametrize(("count", "at_least"), [(3, 0.93), (5, 0.93), (6, 0.88), (12, 0.90)])
def test_it_holds_the_true_value_about_as_often_as_it_says(count: int, at_least: float) -> None:
    draw, true, rounds = Random(7), 80.0, 400 if count < FEWEST_FOR_BOOTSTRAP else 100
    held = 0
    for _ in range(rounds):
        interval = interval_of([true * math.exp(draw.gauss(0, 0.05)) for _ in range(count)])
        assert interval is not None
        held += interval.holds(true)
    assert held / rounds >= at_least
