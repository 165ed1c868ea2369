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
from collections.abc import Sequence


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
    ways = _ways_to_sum([2 * rank for rank in ranks])
    return sum(ways[seen:]) / sum(ways)


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
    means = _pairwise_means(differences)
    ways = _ways_to_sum(list(range(1, len(differences) + 1)))
    allowed = (1 - confidence) / 2 * sum(ways)
    below, left_out = 0, 0
    while left_out < len(ways) and below + ways[left_out] <= allowed:
        below += ways[left_out]
        left_out += 1
    if left_out == 0:
        return -math.inf, math.inf
    return means[left_out - 1], means[-left_out]


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


def _ways_to_sum(parts: Sequence[int]) -> list[int]:
    """Return, for each sum, how many subsets of ``parts`` have it."""
    ways = [1] + [0] * sum(parts)
    for part in parts:
        for total in range(len(ways) - 1, part - 1, -1):
            ways[total] += ways[total - part]
    return ways
