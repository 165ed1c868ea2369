"""The distributions of waits and token counts, and how a scenario declares them.

A draw takes exactly one number from ``random()`` and inverts the distribution at it. So a
draw never shifts the draws after it, whatever its distribution, and it depends on the one part
of ``random`` that Python promises to keep: ``gammavariate`` and its siblings may change
between versions, ``random()`` may not.

``random()`` yields multiples of 2**-53 below 1; a normal tail is cut there, at about 8.2
standard deviations. Hence ``quantile(1.0)`` is always finite: no greater value is drawn.

In TOML a distribution is a number, which is a constant, or a table with the one key that
names it in ``DISTRIBUTIONS``:

    latency_s = 0.5
    latency_s = { lognormal = { median = 0.5, p99 = 2.0 } }
    latency_s = { empirical = { p5 = 3.04, p50 = 6.13, "p99.9" = 135.68 } }
    latency_s = { mixture = [
        { weight = 9, constant = 0.1 },
        { weight = 1, uniform = { low = 1, high = 2 } },
    ] }
"""

import math
import random
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from itertools import pairwise
from statistics import NormalDist
from typing import Protocol

from .diagnostics import DeclarationError, invalid, listed, number, unknown

_STANDARD_NORMAL = NormalDist()
_RESOLUTION = 2**53
_MOST_COMPONENTS = 16


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
        _require(self.value >= 0, "a number of at least 0", self.value)

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
        _require(self.low >= 0, "a number of at least 0", self.low, "low")
        _require(
            self.high >= self.low, f"a number of at least low, {self.low!r}", self.high, "high"
        )

    @property
    def mean(self) -> float:
        """The middle."""
        return self.low + (self.high - self.low) / 2

    def quantile(self, probability: float) -> float:
        """That share of the way from ``low`` to ``high``."""
        return _between(self.low, self.high, probability)


@dataclass(frozen=True, slots=True)
class Normal(Distribution):
    """The bell curve, conditioned on not being negative.

    ``mean_before`` and ``sd`` are those of the whole curve. The part below 0 is left out
    and the rest scaled up, rather than moved to 0, which would pile up instant answers.
    """

    mean_before: float
    sd: float

    def __post_init__(self) -> None:
        _require(self.mean_before >= 0, "a number of at least 0", self.mean_before, "mean")
        _require(self.sd > 0, "a number above 0", self.sd, "sd")
        _require_finite(self)

    @classmethod
    def of_moments(cls, mean: float, sd: float) -> "Normal":
        """Return the distribution of a mean and a standard deviation, as scenarios declare it."""
        return cls(mean, sd)

    @property
    def mean(self) -> float:
        """The expected value without the part below 0, which is above ``mean_before``."""
        start = -self.mean_before / self.sd
        return self.mean_before + self.sd * _STANDARD_NORMAL.pdf(start) / (
            1 - _STANDARD_NORMAL.cdf(start)
        )

    def quantile(self, probability: float) -> float:
        """Return the whole curve's quantile, at the same share of the part above 0."""
        left_out = _STANDARD_NORMAL.cdf(-self.mean_before / self.sd)
        deviations = _standard_normal_quantile(left_out + probability * (1 - left_out))
        return max(0.0, self.mean_before + self.sd * deviations)


@dataclass(frozen=True, slots=True)
class Lognormal(Distribution):
    """A lognormal distribution: the usual shape of service times, with a long tail."""

    mu: float
    sigma: float

    def __post_init__(self) -> None:
        _require(self.sigma >= 0, "a number of at least 0", self.sigma, "sigma")
        _require_finite(self)

    @classmethod
    def of_percentiles(cls, median: float, p99: float) -> "Lognormal":
        """The one with this median and this 99th percentile."""
        _require(median > 0, "a number above 0", median, "median")
        _require(p99 >= median, f"a number of at least median, {median!r}", p99, "p99")
        sigma = (math.log(p99) - math.log(median)) / _STANDARD_NORMAL.inv_cdf(0.99)
        return cls(math.log(median), sigma)

    @property
    def mean(self) -> float:
        """Expected value, above the median ``exp(mu)``."""
        return math.exp(self.mu + self.sigma**2 / 2)

    def quantile(self, probability: float) -> float:
        """Exponential of the normal quantile."""
        return math.exp(self.mu + self.sigma * _standard_normal_quantile(probability))


@dataclass(frozen=True, slots=True)
class Gamma(Distribution):
    """Sum of ``shape`` exponential waits of mean ``scale``; shape 1 is exponential."""

    shape: float
    scale: float

    def __post_init__(self) -> None:
        # Outside, the inversion loses digits (below) or takes milliseconds (above).
        _require(0.01 <= self.shape <= 10_000, "a number from 0.01 to 10000", self.shape, "shape")  # noqa: PLR2004
        _require(self.scale > 0, "a number above 0", self.scale, "scale")
        _require_finite(self)

    @classmethod
    def of_mean(cls, mean: float, shape: float) -> "Gamma":
        """The one with this mean and shape."""
        _require(mean > 0, "a number above 0", mean, "mean")
        return cls(shape, mean / shape if shape else 1.0)

    @property
    def mean(self) -> float:
        """``shape * scale``."""
        return self.shape * self.scale

    def quantile(self, probability: float) -> float:
        """By Newton's method, to about twelve digits; some 20 µs."""
        return self.scale * _gamma_quantile(self.shape, probability)


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
        _require(len(self.values) > 1, "at least two quantiles", len(self.values))
        _require(
            len(self.probabilities) == len(self.values),
            f"a value for each of {len(self.probabilities)} probabilities",
            len(self.values),
        )
        for probability, value in zip(self.probabilities, self.values, strict=True):
            key = f"p{100 * probability:.10g}"
            _require(0 <= probability <= 1, "a percentile from p0 to p100", key)
            _require(value >= 0, "a number of at least 0", value, key)
        for (low, low_value), (high, value) in pairwise(
            zip(self.probabilities, self.values, strict=True)
        ):
            key = f"p{100 * high:.10g}"
            _require(low < high, "each percentile once, rising", key)
            below = f"p{100 * low:.10g}"
            _require(low_value <= value, f"at least {below}, {low_value!r}", value, key)

    @classmethod
    def of_table(cls, table: object) -> "Empirical":
        """From percentiles, ``{ p50 = 6.13, "p99.9" = 135.68 }``, in any order."""
        if not isinstance(table, Mapping):
            raise invalid("a table of percentiles such as { p50 = 1.0, p99 = 4.0 }", table)
        quantiles = {}
        for key, value in table.items():
            written = re.fullmatch(r"p(\d{1,3}(?:\.\d{1,10})?)", key, re.ASCII)
            if not written or float(written[1]) > 100:  # noqa: PLR2004 - per cent
                raise invalid("a percentile from p0 to p100, such as p50 or 'p99.9'", key)
            probability = float(written[1]) / 100
            if probability in quantiles:
                raise invalid("each percentile once", key)
            quantiles[probability] = number(value, key)
        rising = sorted(quantiles.items())
        return cls(tuple(p for p, _ in rising), tuple(v for _, v in rising))

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
        return _between(self.values[index - 1], self.values[index], share)


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
        _require(bool(self.components), "at least one component", len(self.components))
        _require(
            len(self.weights) == len(self.components),
            f"a weight for each of {len(self.components)} components",
            len(self.weights),
        )
        for weight in self.weights:
            _require(0 < weight <= 1e9, "weights above 0, up to 1e9", weight)  # noqa: PLR2004

    @classmethod
    def of_array(cls, array: object) -> "Mixture":
        """From ``[{ weight = 0.9, constant = 0.1 }, …]``."""
        if not isinstance(array, list) or not array:
            raise invalid("an array such as [{ weight = 0.9, constant = 0.1 }]", array)
        if len(array) > _MOST_COMPONENTS:
            raise invalid(f"at most {_MOST_COMPONENTS} components", len(array))
        weights, components = [], []
        for index, part in enumerate(array):
            try:
                weight, component = _component(part)
            except DeclarationError as error:
                raise error.below(index) from None
            weights.append(weight)
            components.append(component)
        return cls(tuple(weights), tuple(components))

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
            weight * _share_below(part, value)
            for weight, part in zip(self.weights, self.components, strict=True)
        )


def parse_distribution(value: object) -> Distribution:
    """Read a distribution as a scenario declares it (see the top of this module).

    Raises:
        DeclarationError: Neither a number nor a table that names one known distribution, or
            its parameters do not fit; the path leads from ``value`` to the culprit.
    """
    if isinstance(value, Mapping):
        if len(value) == 1:
            [(name, parameters)] = value.items()
            if name in DISTRIBUTIONS:
                try:
                    return DISTRIBUTIONS[name](parameters)
                except DeclarationError as error:
                    raise error.below(name) from None
            found = unknown(name, DISTRIBUTIONS)
        else:
            found = f"{len(value)} keys"
        raise DeclarationError(f"expected one key of {listed(DISTRIBUTIONS)}, found {found}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid("a number or a distribution such as { lognormal = { … } }", value)
    return _constant(value)


Parser = Callable[[object], Distribution]


def _constant(value: object) -> Distribution:
    return Constant(number(value))


def _from_table(*makers: Callable[..., Distribution]) -> Parser:
    """Return a parser of a table of numbers, whose keys are the parameters of a maker."""
    choices = {tuple(signature(maker).parameters): maker for maker in makers}
    expected = ", or ".join(listed(names, "and") for names in choices)

    def parse(table: object) -> Distribution:
        if not isinstance(table, Mapping):
            raise invalid(f"a table with {expected}", table)
        known = {name for names in choices for name in names}
        for key in table:
            if key not in known:
                raise DeclarationError(f"expected {expected}, found {unknown(key, known)}")
        for names, maker in choices.items():
            if table.keys() == set(names):
                return maker(**{key: number(value, key) for key, value in table.items()})
        found = listed(table, "and") if table else "an empty table"
        raise DeclarationError(f"expected {expected}, found {found}")

    return parse


DISTRIBUTIONS: Mapping[str, Parser] = {
    "constant": _constant,
    "uniform": _from_table(Uniform),
    "normal": _from_table(Normal.of_moments),
    "lognormal": _from_table(Lognormal.of_percentiles, Lognormal),
    "gamma": _from_table(Gamma, Gamma.of_mean),
    "empirical": Empirical.of_table,
    "mixture": Mixture.of_array,
}


def _component(part: object) -> tuple[float, Distribution]:
    if not isinstance(part, Mapping):
        raise invalid("a table such as { weight = 0.9, constant = 0.1 }", part)
    if "weight" not in part:
        raise DeclarationError("expected a number above 0, found nothing", ("weight",))
    if "mixture" in part:
        raise DeclarationError("expected the parts of the inner mixture, found a mixture")
    weight = number(part["weight"], "weight")
    _require(0 < weight <= 1e9, "a number above 0, up to 1e9", weight, "weight")  # noqa: PLR2004
    return weight, parse_distribution({key: part[key] for key in part if key != "weight"})


def _require(holds: bool, what: str, found: object, *path: str) -> None:
    if not holds or (isinstance(found, float) and not math.isfinite(found)):
        raise invalid(what, found, path)


def _require_finite(distribution: Distribution) -> None:
    """Refuse a distribution whose tail exceeds the range of floats, at its end or in its mean."""
    try:
        finite = math.isfinite(distribution.quantile(1.0)) and math.isfinite(distribution.mean)
    except OverflowError:
        finite = False
    if not finite:
        raise DeclarationError("expected a tail within the range of floats, found one beyond it")


def _share_below(distribution: Distribution, value: float) -> float:
    """Return the probability of a draw at or below a value: quantiles rise, so bisect them."""

    def quantile(step: int) -> float:
        return distribution.quantile(step / _RESOLUTION)

    return bisect_right(range(_RESOLUTION), value, key=quantile) / _RESOLUTION


def _between(low: float, high: float, share: float) -> float:
    """Interpolate; rounding must not exceed ``high``, or quantiles would fall."""
    return min(high, low + share * (high - low))


def _standard_normal_quantile(probability: float) -> float:
    """Return the quantile of the standard normal, with its tails cut where ``random()`` ends."""
    end = 1 / _RESOLUTION
    return _STANDARD_NORMAL.inv_cdf(min(max(probability, end), 1 - end))


def _gamma_tails(shape: float, value: float) -> tuple[float, float]:
    """Return the probabilities below and above a value, for scale 1; exact where they are small.

    By the series below ``shape + 1`` and by Lentz's continued fraction above, where each
    converges in about ``sqrt(shape)`` steps.
    """
    # The density times the value, through logarithms: each factor alone may overflow.
    front = math.exp(shape * math.log(value) - value - math.lgamma(shape))
    if value < shape + 1:
        term = total = 1 / shape
        divisor = shape
        while term > total * 1e-17:
            divisor += 1
            term *= value / divisor
            total += term
        below = min(1.0, front * total)
        return below, 1 - below
    tiny = 1e-300
    odd = value + 1 - shape
    ratio = 1 / tiny
    inverse = fraction = 1 / odd
    step, change = 0, 0.0
    while abs(change - 1) > 1e-15:  # noqa: PLR2004 - the last digit of a float
        step += 1
        factor = -step * (step - shape)
        odd += 2
        inverse = 1 / (factor * inverse + odd or tiny)
        ratio = odd + factor / ratio or tiny
        change = ratio * inverse
        fraction *= change
    above = min(1.0, front * fraction)
    return 1 - above, above


def _gamma_quantile(shape: float, probability: float) -> float:
    """Invert the gamma distribution of scale 1 by Newton's steps, halved where they overshoot.

    The start is Wilson and Hilferty's cube of a normal, or the leading term of the series
    where the quantile is small. The smaller tail is compared, to keep its digits.
    """
    end = 1 / _RESOLUTION
    probability = min(max(probability, end), 1 - end)
    leading = math.exp((math.log(probability) + math.lgamma(shape + 1)) / shape)
    if leading < 1e-12:  # noqa: PLR2004 - the next term of the series is below the last digit
        return leading
    cube = 1 - 1 / (9 * shape) + _standard_normal_quantile(probability) / (3 * math.sqrt(shape))
    value = shape * cube**3 if cube > 0.3 else leading  # noqa: PLR2004 - the cube is poor below
    low, high = 0.0, math.inf
    for _ in range(200):
        below, above = _gamma_tails(shape, value)
        excess = below - probability if probability < 0.5 else (1 - probability) - above  # noqa: PLR2004
        low, high = (low, value) if excess > 0 else (value, high)
        density = math.exp((shape - 1) * math.log(value) - value - math.lgamma(shape))
        following = value - excess / density if density else math.inf
        if not low < following < high:
            following = (low + high) / 2 if high < math.inf else 2 * value
        if abs(following - value) <= 1e-13 * value:
            return following
        value = following
    return value
