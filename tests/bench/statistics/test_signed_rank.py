"""The exact test, held against counting all flips of signs one by one."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon
from warpbench.bench.statistics.signed_rank import (
    chance_of_as_high,
    chance_of_as_low,
    estimate,
    interval,
)

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
