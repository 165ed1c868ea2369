"""The exact test, held against counting all flips of signs one by one."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon
from warpbench.bench.statistics.signed_rank import (
    attainable,
    bounds,
    chance_of_as_high,
    chance_of_as_low,
    estimate,
    fewest_pairs,
    interval,
)

pytestmark = pytest.mark.once

values = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=8)


def ranks_of(sizes: list[float]) -> list[float]:
    ordered = sorted(sizes)
    return [
        ordered.index(size) + (ordered.count(size) + 1) / 2 for size in sizes
    ]  # ties share the mean of their ranks


def chance_by_counting(differences: list[float]) -> float:
    ranks = ranks_of([abs(each) for each in differences])
    seen = sum(
        rank * (each > 0) + rank / 2 * (each == 0)
        for rank, each in zip(ranks, differences, strict=True)
    )
    flips = list(itertools.product((0, 1), repeat=len(ranks)))
    as_high = sum(
        sum(rank * flip for rank, flip in zip(ranks, signs, strict=True)) >= seen - 1e-9
        for signs in flips
    )
    return as_high / len(flips)


@given(values)
def test_the_chance_is_the_share_of_all_flips(differences: list[float]) -> None:
    assert chance_of_as_high(differences) == pytest.approx(chance_by_counting(differences))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20, unique=True), st.randoms())
def test_without_ties_it_is_the_test_of_scipy(sizes: list[int], lots: random.Random) -> None:
    differences = [float(size * lots.choice((-1, 1))) for size in sizes]
    theirs = wilcoxon(differences, alternative="greater", method="exact")
    assert chance_of_as_high(differences) == pytest.approx(theirs.pvalue)


@given(values)
def test_low_is_high_seen_from_the_other_side(differences: list[float]) -> None:
    mirrored = [-each for each in differences]
    assert chance_of_as_low(differences) == chance_of_as_high(mirrored)


@given(values, st.integers(-3, 3))
def test_a_limit_is_a_shift(differences: list[float], limit: int) -> None:
    shifted = [each - limit for each in differences]
    assert chance_of_as_high(differences, limit) == chance_of_as_high(shifted)


def test_eight_of_a_kind_come_once_in_two_hundred_and_fifty_six() -> None:
    assert chance_of_as_high([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]) == 1 / 256


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12))
def test_the_estimate_lies_among_the_values_and_in_its_interval(differences: list[float]) -> None:
    assert min(differences) <= estimate(differences) <= max(differences)
    low, high = interval(differences, 0.95)
    assert low <= estimate(differences) <= high


@pytest.mark.parametrize(("count", "is_finite"), [(5, False), (6, True)])
def test_a_confidence_of_95_takes_six(count: int, *, is_finite: bool) -> None:
    low, high = interval([float(number) for number in range(count)], 0.95)
    assert math.isfinite(low) is is_finite
    assert math.isfinite(high) is is_finite


@given(st.randoms(use_true_random=False), st.integers(6, 9))
def test_the_interval_holds_what_the_test_does_not_reject(lots: random.Random, count: int) -> None:
    # No ties: with them an interval of pairwise means and a test with shared ranks part ways.
    lots = random.Random(lots.random())
    differences = [lots.gauss(0, 1) for _ in range(count)]
    low, high = interval(differences, 0.9)
    inside = (low + high) / 2
    assert chance_of_as_high(differences, inside) > 0.05 - 1e-9
    assert chance_of_as_low(differences, inside) > 0.05 - 1e-9
    assert chance_of_as_high(differences, low - 1e-12) <= 0.05 + 1e-9
    assert chance_of_as_low(differences, high + 1e-12) <= 0.05 + 1e-9


@given(st.integers(1, 12), st.floats(0.0, 1.0))
def test_the_attainable_level_is_the_greatest_p_value_within_a_level(
    count: int, level: float
) -> None:
    sums = [
        sum(ranks)
        for size in range(count + 1)
        for ranks in itertools.combinations(range(1, count + 1), size)
    ]
    p_values = {sum(other <= each for other in sums) / 2**count for each in set(sums)}
    assert attainable(count, level) == max((p for p in p_values if p <= level), default=0.0)


@pytest.mark.parametrize(("level", "pairs"), [(0.5, 1), (0.05, 5), (0.01, 7), (2**-8, 8), (1, 1)])
def test_a_level_takes_a_number_of_pairs(level: float, pairs: int) -> None:
    assert fewest_pairs(level) == pairs
    assert attainable(pairs, level) > 0
    assert pairs == 1 or attainable(pairs - 1, level) == 0


@given(st.lists(st.integers(1, 1000), min_size=7, max_size=12, unique=True), st.randoms())
def test_a_bound_is_where_the_test_begins_to_reject(sizes: list[int], lots: random.Random) -> None:
    differences = [size * lots.choice((-1.0, 1.0)) for size in sizes]
    low, high = bounds(differences, 0.01)
    assert chance_of_as_high(differences, low - 1e-6) <= 0.01
    assert chance_of_as_low(differences, high + 1e-6) <= 0.01


def test_too_few_pairs_bound_nothing() -> None:
    assert bounds([1.0] * 6, 0.01) == (-math.inf, math.inf)
    assert bounds([], 0.01) == (-math.inf, math.inf)
