"""When sessions arrive: in a closed loop as places become free, in an open one by a plan. Pure.

========== =============== ==================================================================
name       written         sessions arrive
========== =============== ==================================================================
closed     ``closed``      as soon as fewer than N are in flight
constant   ``constant:20`` 20 a second, evenly
poisson    ``poisson:20``  20 a second on average, independently of each other
ramp       ``ramp:5-50``   at a rate that rises evenly from 5 to 50 a second over the run
trace      ``trace``       when those of the scenario's recording did; ``trace:10`` ten times
                           as fast
========== =============== ==================================================================

In an open loop latency counts from the intended arrival. A client that stalls delays its own
next requests; to count from when they were sent would leave out the very wait that a user has
("coordinated omission", Gil Tene, "How NOT to Measure Latency", 2013).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate
from random import Random
from types import MappingProxyType

from ..clock import nanoseconds
from ..errors import UsageError
from ..scenario import Scenario

_FORMS = (
    "closed, constant:RATE, poisson:RATE, ramp:RATE-RATE (sessions a second: 20, 20/s or 1200/m), "
    "trace[:SPEED]"
)
_GREATEST = 1e6
_PER_S: Mapping[str, float] = MappingProxyType({"s": 1.0, "m": 60.0, "h": 3600.0})


class ArrivalKind(StrEnum):
    """How arrivals are planned."""

    CLOSED = "closed"
    CONSTANT = "constant"
    POISSON = "poisson"
    RAMP = "ramp"
    TRACE = "trace"


# How many rates each one takes.
_RATES: Mapping[ArrivalKind, tuple[int, int]] = MappingProxyType(
    {
        ArrivalKind.CLOSED: (0, 0),
        ArrivalKind.CONSTANT: (1, 1),
        ArrivalKind.POISSON: (1, 1),
        ArrivalKind.RAMP: (2, 2),
        ArrivalKind.TRACE: (0, 1),
    }
)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """A plan of arrivals.

    Attributes:
        kind: Of which kind.
        first: Sessions per second, at the start of a ramp; of a trace the factor of its speed.
        last: Sessions a second at the end of a ramp.
    """

    kind: ArrivalKind
    first: float = 1.0
    last: float = 1.0

    @property
    def name(self) -> str:
        """The plan as it is written on the command line."""
        if self.kind is ArrivalKind.CLOSED or (self.kind is ArrivalKind.TRACE and self.first == 1):
            return self.kind
        last = f"-{_written(self.last)}" if self.kind is ArrivalKind.RAMP else ""
        return f"{self.kind}:{_written(self.first)}{last}"


CLOSED = Arrivals(ArrivalKind.CLOSED)


def parse_rate_per_s(text: str) -> float:
    """Return a rate a second: ``20`` and ``20/s`` are the same, ``1200/m`` is a minute's.

    Raises:
        ValueError: The text is no rate, or not above 0 and at most a million.
    """
    number, _, unit = text.partition("/")
    try:
        rate_per_s = float(number) / _PER_S[unit if "/" in text else "s"]
    except (ValueError, KeyError):
        rate_per_s = 0.0
    if not 0 < rate_per_s <= _GREATEST:
        raise ValueError(f"{text!r}: expected a rate above 0, such as 20, 20/s or 1200/m")
    return rate_per_s


def parse_arrivals(text: str) -> Arrivals:
    """Return the plan that a text names.

    Raises:
        UsageError: The text is no plan.
    """
    name, _, rates = text.partition(":")
    numbers = tuple(_rate(part) for part in rates.split("-")) if ":" in text else ()
    if name == ArrivalKind.TRACE and "/" in rates:  # how many times as fast is no rate
        numbers = (None,)
    for kind, (least, most) in _RATES.items():
        if name == kind and least <= len(numbers) <= most and None not in numbers:
            return Arrivals(kind, *(number for number in numbers if number is not None))
    raise UsageError(f"--arrivals {text!r}: expected one of {_FORMS}")


def _written(number: float) -> str:
    """Write a number so that reading it gives the same number, without an exponent and its sign."""
    return format(Decimal(repr(number)), "f").removesuffix(".0")


def _rate(text: str) -> float | None:
    try:
        return parse_rate_per_s(text)
    except ValueError:
        return None


def intended_ns(
    arrivals: Arrivals, scenario: Scenario, seed: int, count: int
) -> tuple[int, ...] | None:
    """Return when each session is to start, ascending, in nanoseconds after the trial's start.

    Args:
        arrivals: The plan.
        scenario: Its recording gives the starts of a trace; its name seeds a Poisson process.
        seed: Seed of the script.
        count: How many sessions.

    Returns:
        The times; ``None`` in a closed loop.

    Raises:
        UsageError: A trace is asked for, and the scenario has no recording.
    """
    if arrivals.kind is ArrivalKind.CLOSED:
        return None
    if arrivals.kind is ArrivalKind.CONSTANT:
        times_s: Iterator[float] = (number / arrivals.first for number in range(count))
    elif arrivals.kind is ArrivalKind.POISSON:
        generator = Random(f"{scenario.name}/{seed}/arrivals")
        gaps = (generator.expovariate(arrivals.first) for _ in range(count))
        times_s = accumulate(gaps)
    elif arrivals.kind is ArrivalKind.RAMP:
        times_s = _ramp_s(arrivals, count)
    else:
        times_s = _trace_s(arrivals, scenario, count)
    return tuple(nanoseconds(time_s) for time_s in times_s)


def _ramp_s(arrivals: Arrivals, count: int) -> Iterator[float]:
    """Yield when n sessions have arrived: a t + (b - a) t² / (2 T) = n, over T = 2 N / (a + b)."""
    first, last = arrivals.first, arrivals.last
    slope = (last - first) / (2 * max(1, count) / (first + last))
    for number in range(count):
        # The root in the form that divides by no difference: a steady rate has no slope.
        yield 2 * number / (first + math.sqrt(first * first + 2 * slope * number))


def _trace_s(arrivals: Arrivals, scenario: Scenario, count: int) -> Iterator[float]:
    if scenario.recording is None:
        raise UsageError(
            f"--arrivals trace: scenario {scenario.name!r} replays no recording; "
            "`warpbench import trace` makes one that does"
        )
    starts_s = [session.start_s for session in scenario.recording.sessions]
    begin_s, length_s = min(starts_s), max(starts_s) - min(starts_s)
    # Session n replays the recorded one n modulo their number; the next round follows the last
    # after what lies between two of them on average.
    round_s = length_s * len(starts_s) / max(1, len(starts_s) - 1)
    for number in range(count):
        rounds, which = divmod(number, len(starts_s))
        yield (starts_s[which] - begin_s + rounds * round_s) / arrivals.first
