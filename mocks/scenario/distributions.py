"""The distributions of waits and token counts.

A draw takes exactly one number from ``random()`` and inverts the distribution at it. So a
draw never shifts the draws after it, whatever its distribution, and it depends on the one part
of ``random`` that Python promises to keep: ``gammavariate`` and its siblings may change
between versions, ``random()`` may not.

``random()`` yields multiples of 2**-53 below 1; a normal tail is cut there, at about 8.2
standard deviations. Hence ``quantile(1.0)`` is always finite: no greater value is drawn.
"""

import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from .diagnostics import DeclarationError, require
from .quantiles import (
    STANDARD_NORMAL,
    between,
    gamma_quantile,
    share_below,
    standard_normal_quantile,
)


class Distribution(Protocol):
    """What a wait (seconds) or a count (tokens, rounds) is drawn from; never below 0."""

    __slots__ = ()

    @property
    def mean(self) -> float:
        """Expected value of a draw."""
        ...

    def quantile(self, probability: float) -> float:
        """The value that a draw stays at or below with this probability, 0 to 1."""
        ...

    def draw(self, generator: random.Random) -> float:
        """One value, for exactly one number of the generator."""
        return self.quantile(generator.random())


@dataclass(frozen=True, slots=True)
class Constant(Distribution):
    """Always the same value."""

    value: float

    def __post_init__(self) -> None:
        require(self.value >= 0, "a number of at least 0", self.value)

    @property
    def mean(self) -> float:
        """The value itself."""
        return self.value

    def quantile(self, probability: float) -> float:  # noqa: ARG002 - the same for each
        """The value itself."""
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform(Distribution):
    """Each value from ``low`` to ``high`` is as likely as the other."""

    low: float
    high: float

    def __post_init__(self) -> None:
        require(self.low >= 0, "a number of at least 0", self.low, "low")
        require(self.high >= self.low, f"a number of at least low, {self.low!r}", self.high, "high")

    @property
    def mean(self) -> float:
        """The middle."""
        return self.low + (self.high - self.low) / 2

    def quantile(self, probability: float) -> float:
        """That share of the way from ``low`` to ``high``."""
        return between(self.low, self.high, probability)


@dataclass(frozen=True, slots=True)
class Normal(Distribution):
    """The bell curve, conditioned on not being negative.

    ``mean_before`` and ``sd`` are those of the whole curve. The part below 0 is left out
    and the rest scaled up, rather than moved to 0, which would pile up instant answers.
    """

    mean_before: float
    sd: float

    def __post_init__(self) -> None:
        require(self.mean_before >= 0, "a number of at least 0", self.mean_before, "mean")
        require(self.sd > 0, "a number above 0", self.sd, "sd")
        _require_finite(self)

    @classmethod
    def of_moments(cls, mean: float, sd: float) -> "Normal":
        """Return the distribution of a mean and a standard deviation, as scenarios declare it."""
        return cls(mean, sd)

    @property
    def mean(self) -> float:
        """The expected value without the part below 0, which is above ``mean_before``."""
        start = -self.mean_before / self.sd
        return self.mean_before + self.sd * STANDARD_NORMAL.pdf(start) / (
            1 - STANDARD_NORMAL.cdf(start)
        )

    def quantile(self, probability: float) -> float:
        """Return the whole curve's quantile, at the same share of the part above 0."""
        left_out = STANDARD_NORMAL.cdf(-self.mean_before / self.sd)
        deviations = standard_normal_quantile(left_out + probability * (1 - left_out))
        return max(0.0, self.mean_before + self.sd * deviations)


@dataclass(frozen=True, slots=True)
class Lognormal(Distribution):
    """A lognormal distribution: the usual shape of service times, with a long tail."""

    mu: float
    sigma: float

    def __post_init__(self) -> None:
        require(self.sigma >= 0, "a number of at least 0", self.sigma, "sigma")
        _require_finite(self)

    @classmethod
    def of_percentiles(cls, median: float, p99: float) -> "Lognormal":
        """The one with this median and this 99th percentile."""
        require(median > 0, "a number above 0", median, "median")
        require(p99 >= median, f"a number of at least median, {median!r}", p99, "p99")
        sigma = (math.log(p99) - math.log(median)) / STANDARD_NORMAL.inv_cdf(0.99)
        return cls(math.log(median), sigma)

    @property
    def mean(self) -> float:
        """Expected value, above the median ``exp(mu)``."""
        return math.exp(self.mu + self.sigma**2 / 2)

    def quantile(self, probability: float) -> float:
        """Exponential of the normal quantile."""
        return math.exp(self.mu + self.sigma * standard_normal_quantile(probability))


@dataclass(frozen=True, slots=True)
class Gamma(Distribution):
    """Sum of ``shape`` exponential waits of mean ``scale``; shape 1 is exponential."""

    shape: float
    scale: float

    def __post_init__(self) -> None:
        # Outside, the inversion loses digits (below) or takes milliseconds (above).
        require(0.01 <= self.shape <= 10_000, "a number from 0.01 to 10000", self.shape, "shape")  # noqa: PLR2004
        require(self.scale > 0, "a number above 0", self.scale, "scale")
        _require_finite(self)

    @classmethod
    def of_mean(cls, mean: float, shape: float) -> "Gamma":
        """The one with this mean and shape."""
        require(mean > 0, "a number above 0", mean, "mean")
        return cls(shape, mean / shape if shape else 1.0)

    @property
    def mean(self) -> float:
        """``shape * scale``."""
        return self.shape * self.scale

    def quantile(self, probability: float) -> float:
        """By Newton's method, to about twelve digits; some 20 µs."""
        return self.scale * gamma_quantile(self.shape, probability)


@dataclass(frozen=True, slots=True)
class Empirical(Distribution):
    """A table of quantiles, with straight lines between them and nothing beyond the ends.

    Attributes:
        probabilities: Rising, each from 0 to 1.
        values: The quantile at each percentage.
    """

    probabilities: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        require(len(self.values) > 1, "at least two quantiles", len(self.values))
        require(
            len(self.probabilities) == len(self.values),
            f"a value for each of {len(self.probabilities)} probabilities",
            len(self.values),
        )
        for probability, value in zip(self.probabilities, self.values, strict=True):
            key = f"p{100 * probability:.10g}"
            require(0 <= probability <= 1, "a percentile from p0 to p100", key)
            require(value >= 0, "a number of at least 0", value, key)
        for (low, low_value), (high, value) in pairwise(
            zip(self.probabilities, self.values, strict=True)
        ):
            key = f"p{100 * high:.10g}"
            require(low < high, "each percentile once, rising", key)
            below = f"p{100 * low:.10g}"
            require(low_value <= value, f"at least {below}, {low_value!r}", value, key)

    @property
    def mean(self) -> float:
        """Expected value of the piecewise-linear curve with flat ends."""
        within = sum(
            (self.probabilities[i + 1] - self.probabilities[i]) * (low / 2 + high / 2)
            for i, (low, high) in enumerate(pairwise(self.values))
        )
        below = self.probabilities[0] * self.values[0]
        above = (1 - self.probabilities[-1]) * self.values[-1]
        return below + within + above

    def quantile(self, probability: float) -> float:
        """On the line between the two nearest quantiles of the table."""
        index = bisect_right(self.probabilities, probability)
        if index == 0:
            return self.values[0]
        if index == len(self.values):
            return self.values[-1]
        start, end = self.probabilities[index - 1 : index + 1]
        share = (probability - start) / (end - start)
        return between(self.values[index - 1], self.values[index], share)


@dataclass(frozen=True, slots=True)
class Mixture(Distribution):
    """One of several distributions, picked by weight.

    Attributes:
        weights: Above 0; only their ratios count.
        components: One distribution per weight; no mixtures among them.
    """

    weights: tuple[float, ...]
    components: tuple[Distribution, ...]

    def __post_init__(self) -> None:
        require(bool(self.components), "at least one component", len(self.components))
        require(
            len(self.weights) == len(self.components),
            f"a weight for each of {len(self.components)} components",
            len(self.weights),
        )
        for weight in self.weights:
            require(0 < weight <= 1e9, "weights above 0, up to 1e9", weight)  # noqa: PLR2004

    @property
    def mean(self) -> float:
        """The components' means by weight."""
        total = sum(self.weights)
        return sum(
            weight / total * part.mean
            for weight, part in zip(self.weights, self.components, strict=True)
        )

    def draw(self, generator: random.Random) -> float:
        """Draw by one number, which picks a component; the rest of the number draws there."""
        left = generator.random() * math.fsum(self.weights)  # sum() rounds by Python version
        for weight, component in zip(self.weights, self.components, strict=True):
            if left < weight:
                return component.quantile(left / weight)
            left -= weight
        return component.quantile(1.0)  # the last weight, missed by a rounding

    def quantile(self, probability: float) -> float:
        """Where the components' shares below add up to the probability.

        Found by halving down to neighbouring floats, in some milliseconds; ``draw`` needs
        none of it.
        """
        low = min(part.quantile(probability) for part in self.components)
        high = max(part.quantile(probability) for part in self.components)
        target = probability * math.fsum(self.weights)
        if self._weight_below(low) >= target:
            return low
        while low < (middle := low + (high - low) / 2) < high:
            if self._weight_below(middle) < target:
                low = middle
            else:
                high = middle
        return high

    def _weight_below(self, value: float) -> float:
        """Weight of what is drawn at or below a value."""
        return math.fsum(
            weight * share_below(part.quantile, value)
            for weight, part in zip(self.weights, self.components, strict=True)
        )


def _require_finite(distribution: Distribution) -> None:
    """Refuse a distribution whose tail exceeds the range of floats, at its end or in its mean."""
    try:
        finite = math.isfinite(distribution.quantile(1.0)) and math.isfinite(distribution.mean)
    except OverflowError:
        finite = False
    if not finite:
        raise DeclarationError("expected a tail within the range of floats, found one beyond it")
