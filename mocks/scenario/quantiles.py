"""The mathematics of quantiles: of the normal and the gamma distribution, and back from a value.

Written out here, since a draw must be the same to the last bit in every run (see
``distributions``).
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from statistics import NormalDist

STANDARD_NORMAL = NormalDist()

RESOLUTION = 2**53
"""How many values ``random()`` has."""


def share_below(quantile: Callable[[float], float], value: float) -> float:
    """Return the probability of a draw at or below a value: quantiles rise, so bisect them.

    Args:
        quantile: The quantiles of the distribution.
        value: The value.
    """

    def at(step: int) -> float:
        return quantile(step / RESOLUTION)

    return bisect_right(range(RESOLUTION), value, key=at) / RESOLUTION


def between(low: float, high: float, share: float) -> float:
    """Interpolate; rounding must not exceed ``high``, or quantiles would fall."""
    return min(high, low + share * (high - low))


def standard_normal_quantile(probability: float) -> float:
    """Return the quantile of the standard normal, with its tails cut where ``random()`` ends."""
    end = 1 / RESOLUTION
    return STANDARD_NORMAL.inv_cdf(min(max(probability, end), 1 - end))


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


def gamma_quantile(shape: float, probability: float) -> float:
    """Invert the gamma distribution of scale 1 by Newton's steps, halved where they overshoot.

    The start is Wilson and Hilferty's cube of a normal, or the leading term of the series
    where the quantile is small. The smaller tail is compared, to keep its digits.
    """
    end = 1 / RESOLUTION
    probability = min(max(probability, end), 1 - end)
    leading = math.exp((math.log(probability) + math.lgamma(shape + 1)) / shape)
    if leading < 1e-12:  # noqa: PLR2004 - the next term of the series is below the last digit
        return leading
    cube = 1 - 1 / (9 * shape) + standard_normal_quantile(probability) / (3 * math.sqrt(shape))
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
