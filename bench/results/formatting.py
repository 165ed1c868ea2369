"""Numbers and names as people read them."""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

DASH = "–"  # noqa: RUF001 (a dash is meant)
"""Stands where there is no number, or too few samples for one."""

_LONGEST_SHORTENED = 40
_THREE_DIGITS = 100
_MOST_DECIMALS = 9
# From which time on each unit is used. What rounds to 1.00 of a unit is shown in that unit:
# 0.9999 s would else read "1000 ms".
_TIME_UNITS = (
    (3 * 3600.0, "h", 3600.0),
    (600.0, "min", 60.0),
    (0.9995, "s", 1.0),
    (0.9995e-3, "ms", 1e-3),
    (0.0, "µs", 1e-6),
)
# From which rate per second on each period is used.
_RATE_PERIODS = ((0.1, "s", 1.0), (0.1 / 60, "min", 60.0), (0.0, "h", 3600.0))
# Shares that whole percents would round to nothing, or to everything.
_ALMOST_NOTHING = 0.005
_ALMOST_ALL = 0.995
_ALL = 0.9995
_A_GIGABYTE = 999.5e6


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that one axis is drawn in.

    Attributes:
        name: As it is printed.
        factor: Base units in one of it: divide by it what is to be drawn.
    """

    name: str
    factor: float


def seconds(value: float | None) -> str:
    """Show a time: ``850 µs``, ``12.3 ms``, ``1.20 s``, ``12.5 min``, ``3.10 h``."""
    if value is None:
        return DASH
    if value == 0:
        return "0 s"
    unit = time_unit(value)
    return f"{_three(value / unit.factor)} {unit.name}"


def time_unit(greatest_s: float) -> Unit:
    """Choose the unit in which a set of times reads best, by the greatest of them."""
    if greatest_s == 0:
        return Unit("s", 1.0)
    name, factor = next(
        (name, factor) for least, name, factor in _TIME_UNITS if abs(greatest_s) >= least
    )
    return Unit(name, factor)


def rate(value: float | None) -> str:
    """Show a rate that is given per second: ``83.1/s``, ``4.20/min``, ``12.0/h``."""
    if value is None:
        return DASH
    unit = rate_unit(value)
    return f"{_three(value / unit.factor)}/{unit.name}"


def session_rate(value: float | None) -> str:
    """Show a throughput in a sentence: ``83.1 sessions/s``."""
    if value is None:
        return DASH
    unit = rate_unit(value)
    return f"{_three(value / unit.factor)} sessions/{unit.name}"


def rate_unit(greatest_per_s: float) -> Unit:
    """Choose the period over which a set of rates reads best, by the greatest of them."""
    if greatest_per_s == 0:
        return Unit("s", 1.0)
    name, period_s = next(
        (name, period_s) for least, name, period_s in _RATE_PERIODS if greatest_per_s >= least
    )
    return Unit(name, 1 / period_s)


def percent(share: float | None) -> str:
    """Show a share in whole percent; never ``100 %`` or ``0 %`` for what is only close."""
    if share is None:
        return DASH
    if 0 < share < _ALMOST_NOTHING:
        return "<1 %"
    if _ALMOST_ALL <= share < _ALL:
        return ">99 %"
    return f"{share * 100:,.0f} %"


def mega_bytes(value: int | None) -> str:
    """Show a size in memory: ``48 MB``, ``1.20 GB``."""
    if value is None:
        return DASH
    if value >= _A_GIGABYTE:
        return f"{_three(value / 1e9)} GB"
    return f"{value / 1e6:.0f} MB"


def whole(value: int) -> str:
    """Show a count: ``10,000``."""
    return f"{value:,}"


def plain(text: str) -> str:
    """Make a text that came from outside fit to print: one line, nothing that steers."""
    return re.sub(" +", " ", printable(text)).strip()


def printable(text: str) -> str:
    """Make a text fit to print and keep every space: for a command that is to be copied.

    Control characters could move a terminal's cursor and would make an SVG invalid; marks
    of direction could show a name other than it is.
    """
    return "".join(
        " " if character.isspace() else "\ufffd" if _steers(character) else character
        for character in text
    )


def _steers(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cn", "Co", "Cs"}


def shortened(text: str, length: int = _LONGEST_SHORTENED) -> str:
    """Cut a text to a length; the middle goes, as names differ at their ends."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def name(text: str) -> str:
    """Make a name that came from outside fit to print where there is little room."""
    return shortened(plain(text))


def code_place(place: str) -> str:
    """Show a place in code as an editor finds it: ``look_up (my_agent.py:15)``.

    Args:
        place: File and function, and a line if it is known:
            ``my_agent.py:build.<locals>.look_up:15``.
    """
    file, function, line = (*place.split(":", maxsplit=2), "", "")[:3]
    if not function:
        return plain(place)
    short = function.rsplit("<locals>.", maxsplit=1)[-1]
    return plain(f"{short} ({file}:{line})" if line else f"{short} ({file})")


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does: ``gather, taskgroup and workers``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def counted(count: int, noun: str, *, signed: bool = False, plural: str = "") -> str:
    """Show a count with its noun: ``1 session``, ``1,000 sessions``, ``+3 tool calls``."""
    shown = noun if abs(count) == 1 else plural or f"{noun}s"
    return f"{count:+,d} {shown}" if signed else f"{whole(count)} {shown}"


def mean_count(value: float) -> str:
    """Show a count, or a mean of counts with two decimals: ``1,010``, ``3.10``."""
    return whole(int(value)) if float(value).is_integer() else f"{value:,.2f}"


def signed_percent(share: float, decimals: int = 1) -> str:
    """Show a change as a share, with its sign: ``+11.0 %``; never ``+0.0 %`` for a small one."""
    shown = f"{share * 100:+,.{decimals}f}"
    return f"{share * 100:+.1g} %" if share and float(shown.replace(",", "")) == 0 else f"{shown} %"


def from_to_seconds(before_s: float, after_s: float) -> str:
    """Show how a time has changed: ``1.00 s → 1.11 s``, but ``1.0000 s → 1.0002 s``."""
    return " → ".join(distinct_seconds(before_s, after_s))


def distinct_seconds(before_s: float, after_s: float) -> tuple[str, str]:
    """Show two times in one unit, with as many digits as they need to differ."""
    unit = time_unit(max(before_s, after_s))
    before, after = before_s / unit.factor, after_s / unit.factor
    least = _decimals(max(before, after))
    decimals = next(
        (
            count
            for count in range(least, _MOST_DECIMALS)
            if f"{before:.{count}f}" != f"{after:.{count}f}"
        ),
        least if before == after else _MOST_DECIMALS,
    )
    return f"{before:,.{decimals}f} {unit.name}", f"{after:,.{decimals}f} {unit.name}"


def _three(value: float) -> str:
    """Show a number with three digits that count; longer ones keep all before the point."""
    if value == 0:
        return "0"
    decimals = _decimals(value)
    return f"{float(f'{value:.3g}') if decimals else value:,.{decimals}f}"


def _decimals(value: float) -> int:
    """Return how many decimals make three digits that count."""
    rounded = float(f"{value:.3g}")  # first, as 9.996 has a digit more once it is rounded
    if rounded == 0 or abs(rounded) >= _THREE_DIGITS:
        return 0
    return 2 - math.floor(math.log10(abs(rounded)))


_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|#"})


def escaped(text: str) -> str:
    """Return a text on one line, of which neither Markdown nor HTML reads anything."""
    return " ".join(text.split()).translate(_ESCAPED)
