"""Lengths of time as a person writes them: ``250ms``, ``90s``, ``5m``, ``1h``.

A bare number says neither seconds nor minutes, so a length of time without a unit is refused.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

MOST_S = 1e6
"""The longest that may be asked for: eleven days."""

_DURATION = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)(?P<unit>ms|s|m|h)?")
_UNITS_S: Mapping[str, float] = MappingProxyType({"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0})


def parse_duration_s(text: str) -> float:
    """Return a length of time in seconds.

    Raises:
        ValueError: The text is none, has no unit, or is not above 0 and at most ``MOST_S``.
    """
    found = _DURATION.fullmatch(text.strip())
    number = float(found["number"]) if found else 0.0
    if found is None or not number:
        raise ValueError(f"{text!r}: expected a time above 0, such as 250ms, 90s, 5m or 1h")
    unit = found["unit"]
    if unit is None:
        raise ValueError(f"{text!r} has no unit: write {text.strip()}s or {text.strip()}m")
    seconds = number * _UNITS_S[unit]
    if seconds > MOST_S:
        raise ValueError(f"{text!r}: expected a time of {MOST_S:,.0f} s (eleven days) at most")
    return seconds
