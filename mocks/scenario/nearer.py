"""Draws that are nearer to what is usual than those of a distribution, and alike otherwise."""

import random
from dataclasses import dataclass

from .distributions import Distribution


@dataclass(frozen=True, slots=True)
class Nearer(Distribution):
    """A distribution whose draws lie between its median and what they would be.

    Attributes:
        whole: The distribution.
        share: How much of the way from its median to a draw is left, from 0 to 1.
    """

    whole: Distribution
    share: float

    @property
    def mean(self) -> float:
        """The same share of the way from the median to the mean."""
        return self._nearer(self.whole.mean)

    def quantile(self, probability: float) -> float:
        """The same share of the way from the median to the quantile."""
        return self._nearer(self.whole.quantile(probability))

    def draw(self, generator: random.Random) -> float:
        """One value, for the same number of the generator as one of the whole."""
        return self._nearer(self.whole.draw(generator))

    def _nearer(self, value: float) -> float:
        median = self.whole.quantile(0.5)
        return max(0.0, median + self.share * (value - median))
