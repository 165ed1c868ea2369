"""A number within the bounds that several parts of a schema set."""

import math
from random import Random

from .bounds import greatest, least, place_of
from .document import Part
from .errors import ContradictionError

_SPAN = 100
_MULTIPLES = 200
_DIGITS = (0, 1, 2, 4, 6, 9)


def number_of(random: Random, parts: tuple[Part, ...], *, is_integer: bool) -> int | float:
    """Return a number: an integer, or a float that is integral where the bounds allow it.

    A float that is integral does for code that counts with it, too.

    Raises:
        ContradictionError: No number was found within the bounds.
    """
    low, high = _bounds(parts)
    steps = [part.schema["multipleOf"] for part in parts if "multipleOf" in part.schema]

    def fits(number: float) -> bool:
        if not low[0] <= number <= high[0] or not math.isfinite(number):
            return False
        if (number == low[0] and low[1]) or (number == high[0] and high[1]):
            return False
        return all(_is_multiple(number, step) for step in steps)

    for candidate in _candidates(random, low[0], high[0], steps, is_integer=is_integer):
        if fits(candidate):
            return candidate
    place = place_of(
        parts,
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    )
    raise ContradictionError(place, "no number is within the bounds")


def _bounds(parts: tuple[Part, ...]) -> tuple[tuple[float, bool], tuple[float, bool]]:
    """Return the least and the greatest number, and whether each is excluded."""
    low: tuple[float, bool] = (greatest(parts, "minimum", -math.inf), False)
    least_of_all = least(parts, "maximum")
    high: tuple[float, bool] = (math.inf if least_of_all is None else least_of_all, False)
    for part in parts:
        above, below = (part.schema.get(key) for key in ("exclusiveMinimum", "exclusiveMaximum"))
        # Draft 4 says by `true` that the other bound is excluded.
        if above is True:
            low = (low[0], True)
        elif above is not None and above is not False and above >= low[0]:
            low = (above, True)
        if below is True:
            high = (high[0], True)
        elif below is not None and below is not False and below <= high[0]:
            high = (below, True)
    return low, high


def _candidates(
    random: Random, low: float, high: float, steps: list[float], *, is_integer: bool
) -> list[int | float]:
    """Return numbers to try, in this order: as plain as possible first."""
    begin, end = _range(low, high)
    if steps:
        step = max(steps)
        first, last = math.ceil(begin / step) - 1, math.floor(end / step) + 1
        count = max(1, min(last - first + 1, _MULTIPLES))
        offset = random.randrange(count)
        multiples = [(first + (offset + index) % count) * step for index in range(count)]
        # 3 * 0.1 is more than 0.3, which the bound may be.
        multiples += [round(multiple, 9) for multiple in multiples]
        if is_integer:
            return [int(multiple) for multiple in multiples if multiple == int(multiple)]
        return multiples
    integers: list[int] = []
    if math.ceil(begin) <= math.floor(end):
        integers = [random.randint(math.ceil(begin), math.floor(end)) for _ in range(4)]
        integers += [math.ceil(begin), math.ceil(begin) + 1]
    if is_integer:
        return list(integers)
    between = begin + (end - begin) * random.uniform(0.1, 0.9)
    is_wide = end - begin > 1
    plain: list[int | float] = [float(each) for each in integers] if is_wide else []
    return [*plain, *(round(between, digits) for digits in _DIGITS), between, begin, end]


def _range(low: float, high: float) -> tuple[float, float]:
    """Return a range to draw from, of usual numbers where a bound is open."""
    if math.isinf(low) and math.isinf(high):
        return 1, _SPAN
    if math.isinf(low):
        return high - _SPAN, high
    if math.isinf(high) or high - low > _SPAN * _SPAN:
        begin = max(low, 1) if high >= _SPAN else low
        return begin, min(high, begin + _SPAN)
    return low, high


def _is_multiple(number: float, step: float) -> bool:
    """Return whether it is a multiple, as the package jsonschema reckons: without rounding."""
    if step == int(step):
        return number % step == 0
    quotient = number / step
    return math.isfinite(quotient) and int(quotient) == quotient
