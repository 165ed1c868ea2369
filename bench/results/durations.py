"""Lengths of time as a person writes them: ``250ms``, ``90``, ``1.5m``, ``1h``."""

import math
import re

_DURATION = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)(?P<unit>ms|s|m|h)?")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration_s(text: str) -> float | None:
    """Return a length of time in seconds; ``None`` if the text is none, or it is not above 0."""
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found["number"]) * _UNITS_S[found["unit"] or "s"] if found else 0.0
    return seconds if 0 < seconds < math.inf else None
