"""Is warp as long as wall? Pairs of runs, and when there are enough of them. Pure.

A machine that others use makes any run longer, by chance. So a run on each clock makes a pair; the
order of the two turns round from pair to pair, so that what the machine does over time falls on
both; and the ratio of their makespans counts. Of the ratios an exact interval is taken, of signed
ranks, in which one run that the machine held up weighs as little as any other.

The pairs end as soon as the interval lies within the tolerance, or outside. They are looked at
after 6, 12 and 20, and at each look either bound is wrong with a chance of a third of 5 % at most:
so together they say "within" of what is not with a chance of 5 % at most. What 20 pairs
leave open is said to be open: noise makes no cell work, and none fail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from warpbench.bench.statistics.signed_rank import bounds, estimate

TOLERANCE = 0.03
LOOKS = (6, 12, 20)
MOST_PAIRS = max(LOOKS)
LEVEL = 0.05 / len(LOOKS)


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far warp is from wall, as shares of wall: 0.01 is 1 % longer.

    Attributes:
        estimate: What the pairs say.
        low: The lower bound of it.
        high: The upper bound.
        pairs: How many there were.
    """

    estimate: float
    low: float
    high: float
    pairs: int

    @property
    def is_within(self) -> bool:
        """Whether it is less than the tolerance for sure."""
        return self.low >= -TOLERANCE and self.high <= TOLERANCE

    @property
    def is_outside(self) -> bool:
        """Whether it is more than the tolerance for sure."""
        return self.high < -TOLERANCE or self.low > TOLERANCE

    def __str__(self) -> str:
        return f"{self.estimate:+.1%} ({self.low:+.1%} to {self.high:+.1%} in {self.pairs} pairs)"


def deviation_of(ratios: Sequence[float]) -> Deviation:
    """Return how far warp is from wall.

    Args:
        ratios: The makespan of warp in that of wall, of each pair; six at least.
    """
    logs = [math.log(ratio) for ratio in ratios]
    low, high = bounds(logs, LEVEL)
    return Deviation(math.expm1(estimate(logs)), math.expm1(low), math.expm1(high), len(logs))


def is_decided(ratios: Sequence[float]) -> bool:
    """Return whether another pair has nothing to add."""
    count = len(ratios)
    if count >= MOST_PAIRS:
        return True
    if count not in LOOKS:
        return False
    deviation = deviation_of(ratios)
    return deviation.is_within or deviation.is_outside
