"""The ticks of an axis: round numbers, three at least, in every range.

``html/templates/script/draw.js`` finds those of a logarithmic axis in the page, where a reader
chooses what is shown.
"""

import math

_FEWEST = 3
_DECADES_WITH_HALVES = 2.5
"""In fewer decades the powers of ten alone would be one or two ticks."""
_ROUNDING = 1e-6
"""What a division may miss a whole number by, with which an end of the range stays a tick."""
_MOST_DECADES = 8
"""Of more, every second or third power is a tick, so that their texts do not touch."""


def logarithmic_ticks(low: float, high: float) -> tuple[float, ...]:
    """Return round numbers from ``low`` to ``high``, in ascending order, at least three.

    They are powers of ten, or one, two and five times these in a few decades. In a range too
    narrow for that they are evenly apart.

    Raises:
        ValueError: The range is empty, or not all above zero.
    """
    if not 0 < low < high < math.inf:
        raise ValueError(
            f"a logarithmic axis goes from {low} to {high}; it must begin above zero and end "
            "further on"
        )
    first, last = math.log10(low), math.log10(high)
    decades = last - first
    stride = math.ceil(decades / _MOST_DECADES)
    factors = (1, 2, 5) if decades <= _DECADES_WITH_HALVES else (1,)
    ticks = tuple(
        tick
        for power in range(math.floor(first), math.floor(last) + 1)
        if power % stride == 0
        for factor in factors
        if low <= (tick := float(f"{factor}e{power}")) <= high
    )
    return ticks if len(ticks) >= _FEWEST else even_ticks(low, high)


def even_ticks(low: float, high: float) -> tuple[float, ...]:
    """Return multiples of one, two or five times a power of ten: the fewest that are three.

    Args:
        low: Where the range begins.
        high: Where it ends; greater.
    """
    power = math.ceil(math.log10(high - low))
    while True:
        for factor in (5, 2, 1):
            step = float(f"{factor}e{power}")
            begin, end = math.ceil(low / step - _ROUNDING), math.floor(high / step + _ROUNDING)
            if end - begin + 1 >= _FEWEST:
                return tuple(float(f"{count * step:.12g}") for count in range(begin, end + 1))
        power -= 1
