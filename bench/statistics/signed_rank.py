"""The exact signed-rank test: is a paired difference above a limit? Pure.

A sign-flip test. Were a block's two sides the same but for the limit, its log-ratio could as
well have come with the other sign; so each of the 2^n ways to flip the signs is equally
likely, and the chance of a sum of ranks as high as the one seen is counted, not approximated.
Ranks stand in for the values (Wilcoxon 1945), since a burst on the machine may make one value
as large as it likes, but its rank only n.

``scipy.stats.wilcoxon`` gives the same where no two differences are equal and none is 0. Its exact
distribution is of ranks without ties. Here equal differences share their ranks, half of the rank of
a difference of nothing counts for either side, and the chance is still counted.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate


def chance_of_as_high(differences: Sequence[float], limit: float = 0.0) -> float:
    """Return the exact one-sided p-value of "they lie around ``limit``, or below".

    Args:
        differences: One for each independent pair; at least one.
        limit: What they are held against.
    """
    shifted = [difference - limit for difference in differences]
    ranks = _doubled_ranks([abs(each) for each in shifted])
    # A difference of nothing counts for neither side: half of its rank to each.
    seen = sum(
        rank * (2 if each > 0 else 1 if each == 0 else 0)
        for each, rank in zip(shifted, ranks, strict=True)
    )
    return _flips_with_at_least(tuple(sorted(ranks)))[seen] / float(1 << len(ranks))


def chance_of_as_low(differences: Sequence[float], limit: float = 0.0) -> float:
    """Return the exact one-sided p-value of "they lie around ``limit``, or above"."""
    return chance_of_as_high([-difference for difference in differences], -limit)


def estimate(differences: Sequence[float]) -> float:
    """Return the centre: the median of all pairwise means (Hodges and Lehmann 1963)."""
    means = _pairwise_means(differences)
    middle = len(means) // 2
    return means[middle] if len(means) % 2 else (means[middle - 1] + means[middle]) / 2


def interval(differences: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the exact interval that the test gives: limits that it does not reject.

    Infinite where so few differences cannot give that confidence (95 % takes six).
    """
    return bounds(differences, (1 - confidence) / 2)


def bounds(differences: Sequence[float], level: float) -> tuple[float, float]:
    """Return a lower and an upper bound, each of which is wrong with at most such a chance.

    Infinite where so few differences can give none.
    """
    left_out = _sums_within(len(differences), level)
    if left_out == 0:
        return -math.inf, math.inf
    means = _pairwise_means(differences)
    return means[left_out - 1], means[-left_out]


def attainable(count: int, level: float) -> float:
    """Return the greatest p-value up to a level that so many pairs without ties can have.

    There are only so many: the least is ``2 ** -count``, and if the level is lower than that, no
    outcome of these pairs can reject, and the result is 0.

    Args:
        count: Independent pairs.
        level: What the p-value may be at most.
    """
    sums = _sums_within(count, level)
    return _flips_with_at_most(count)[sums - 1] / 2**count if sums else 0.0


def fewest_pairs(level: float) -> int:
    """Return with how many pairs a p-value can be as low as a level: the floor is 2^-n."""
    count = max(1, math.ceil(-math.log2(level)))
    return count if attainable(count, level) else count + 1


def _sums_within(count: int, level: float) -> int:
    """Return how many of the lowest sums of ranks have together at most such a chance."""
    return bisect_right(_flips_with_at_most(count), level * 2**count)


def _pairwise_means(values: Sequence[float]) -> list[float]:
    return sorted(
        (values[first] + values[second]) / 2
        for first in range(len(values))
        for second in range(first, len(values))
    )


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Return twice the rank of each value; equal ones share the mean of their ranks."""
    ordered = sorted(values)
    first = {value: index for index, value in reversed(list(enumerate(ordered)))}
    last = {value: index for index, value in enumerate(ordered)}
    return [first[value] + last[value] + 2 for value in values]


# Without ties the ranks of n differences are 1 to n, so a few tables serve a whole run.
@lru_cache(maxsize=256)
def _flips_with_at_least(doubled_ranks: tuple[int, ...]) -> tuple[int, ...]:
    """Return, for each sum, how many flips of signs have it or a greater one."""
    ways = _ways_to_sum([2 * rank for rank in doubled_ranks])
    return tuple(accumulate(reversed(ways)))[::-1]


@lru_cache(maxsize=256)
def _flips_with_at_most(count: int) -> tuple[int, ...]:
    """Return, for each sum, how many flips of so many signs have it or a lesser one, untied."""
    return tuple(accumulate(_ways_to_sum(range(1, count + 1))))


def _ways_to_sum(parts: Sequence[int]) -> list[int]:
    """Return, for each sum, how many subsets of ``parts`` have it.

    The counts stand side by side in one integer, a polynomial's coefficients: each part is a factor
    ``1 + x ** part``. That takes a sixth of the time of a loop over the sums.
    """
    width = len(parts) // 8 + 1  # bytes: there are 2 ** len(parts) subsets
    packed = 1
    for part in parts:
        packed += packed << (8 * width * part)
    counts = packed.to_bytes(width * (sum(parts) + 1), "little")
    return [
        int.from_bytes(counts[start : start + width], "little")
        for start in range(0, len(counts), width)
    ]
