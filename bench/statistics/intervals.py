"""Confidence intervals over the trials of a cell, and of the ratio of two cells. Pure.

A bootstrap draws trials again and again from those that there are, and sees how far the median
moves. It needs some trials to draw from: the range of all of ``n`` covers the true median in
``1 - 2 ** (1 - n)`` of the cases, so the range of three in 75 %, and that of six in 97 %. Below
six trials the interval is therefore Student's, of the mean of the logarithms: it takes those to
be distributed normally, and is wide where trials are few.

Both are taken on logarithms, since throughputs compare by ratios.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from statistics import fmean, median, stdev

CONFIDENCE = 0.95
FEWEST_FOR_BOOTSTRAP = 6
FEWEST_TRIALS = 2
"""Trials that have an interval: one tells nothing of its own scatter."""

_RESAMPLES = 2000
# Quantiles of Student's t for two-sided 95 %, by degrees of freedom from 1 on: those of
# `scipy.stats`, to three decimals. Importing it takes most of a second, which each report would pay
# for four numbers.
_STUDENT = (12.706, 4.303, 3.182, 2.776)


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which values a figure lies with 95 % confidence.

    Attributes:
        low: The lower end.
        middle: The estimate.
        high: The upper end.
    """

    low: float
    middle: float
    high: float

    @property
    def half_width(self) -> float:
        """The distance of the farther end, as a share of the middle."""
        return max(self.high - self.middle, self.middle - self.low) / self.middle

    def holds(self, value: float) -> bool:
        """Whether a value lies in it."""
        return self.low <= value <= self.high


def interval_of(values: Sequence[float]) -> Interval | None:
    """Return the interval of the typical value, one value for each trial.

    Args:
        values: All above 0.

    Returns:
        The interval; ``None`` for fewer than two trials, or where a value is not above 0.
    """
    if len(values) < FEWEST_TRIALS or min(values) <= 0:
        return None
    return _interval(tuple(map(math.log, values)))


def ratio_interval(ours: Sequence[float], theirs: Sequence[float]) -> Interval | None:
    """Return the interval of ours over theirs, trial by trial.

    Trials of the same number were run one after the other, so what slows the machine down for a
    while slows both, and falls out of their ratio.

    Args:
        ours: One value for each trial, above 0.
        theirs: Likewise; where one has more trials, they have no partner and are left out.

    Returns:
        As ``interval_of``.
    """
    pairs = list(zip(ours, theirs, strict=False))
    if any(min(pair) <= 0 for pair in pairs):
        return None
    return interval_of([mine / other for mine, other in pairs])


def independent_ratio_interval(ours: Sequence[float], theirs: Sequence[float]) -> Interval | None:
    """Return the interval of ours over theirs where no two trials belong together: of two runs.

    Args:
        ours: One value for each trial, above 0.
        theirs: Likewise; as many or not.

    Returns:
        As ``interval_of``: Student's with the degrees of freedom of the smaller run (which errs
        towards a wide one) where either has fewer than six trials, else both are resampled.
    """
    if min(len(ours), len(theirs)) < FEWEST_TRIALS or min(*ours, *theirs) <= 0:
        return None
    mine, other = tuple(map(math.log, ours)), tuple(map(math.log, theirs))
    fewer = min(len(mine), len(other))
    if fewer < FEWEST_FOR_BOOTSTRAP:
        middle = fmean(mine) - fmean(other)
        variance = stdev(mine) ** 2 / len(mine) + stdev(other) ** 2 / len(other)
        reach = _STUDENT[fewer - 2] * math.sqrt(variance)
        return Interval(math.exp(middle - reach), math.exp(middle), math.exp(middle + reach))
    differences = sorted(
        one - another
        for one, another in zip(_resampled(mine, 0), _resampled(other, 1), strict=True)
    )
    low, high = _middle_part(differences)
    return Interval(math.exp(low), math.exp(median(mine) - median(other)), math.exp(high))


def student_reach(count: int) -> float:
    """Return how many standard deviations the interval of a few trials reaches to either side.

    Args:
        count: Trials, at least two and fewer than ``FEWEST_FOR_BOOTSTRAP``.
    """
    return _STUDENT[count - 2] / math.sqrt(count)


@lru_cache(maxsize=4096)
def _interval(logarithms: tuple[float, ...]) -> Interval:
    if len(logarithms) < FEWEST_FOR_BOOTSTRAP:
        middle = fmean(logarithms)
        reach = student_reach(len(logarithms)) * stdev(logarithms)
        ends = middle - reach, middle + reach
    else:
        middle = median(logarithms)
        ends = _bootstrapped_median(logarithms)
    return Interval(math.exp(ends[0]), math.exp(middle), math.exp(ends[1]))


def _bootstrapped_median(values: tuple[float, ...]) -> tuple[float, float]:
    """Return the percentile interval (Efron 1979), the same each time for the same values."""
    return _middle_part(sorted(_resampled(values, 0)))


def _resampled(values: tuple[float, ...], seed: int) -> list[float]:
    draw = Random(seed).choices
    return [median(draw(values, k=len(values))) for _ in range(_RESAMPLES)]


def _middle_part(ordered: Sequence[float]) -> tuple[float, float]:
    tail = round((1 - CONFIDENCE) / 2 * len(ordered))
    return ordered[tail], ordered[-tail - 1]
