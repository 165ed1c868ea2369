"""What a clock is: six members, three implementations (``wall``, ``warp``, ``virtual``).

An agent spends seconds waiting for a model and milliseconds computing. A benchmark that
waits for real is slow, and one that does not wait is wrong. So each mocked wait goes
through one ``Clock``, and the clock decides how time passes:

========== ================= ==================== ======================================
mode       idle time         CPU time             gives
========== ================= ==================== ======================================
`wall`     waited for        real                 the ground truth
`warp`     skipped           real, charged        the latencies of ``wall`` in CPU time
`virtual`  skipped           free                 the structure alone, exact everywhere
========== ================= ==================== ======================================

Prior art: trio's ``MockClock`` (autojump), tokio's paused time, looptime. They skip time
for one event loop whose computing is free; here threads take part, and in ``warp``
computing costs what it costs.

All times are integer nanoseconds: sums of them are exact, so a test of fake time is an
equality and never a tolerance.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

NANOSECONDS_PER_SECOND = 1_000_000_000


class ClockMode(StrEnum):
    """How time passes in a trial."""

    WALL = "wall"
    WARP = "warp"
    VIRTUAL = "virtual"


class Clock(Protocol):
    """Keeps the time of one trial; every mocked wait goes through it."""

    @property
    def mode(self) -> ClockMode:
        """How this clock lets time pass."""
        ...

    def now_ns(self) -> int:
        """Return the time in nanoseconds since an arbitrary start."""
        ...

    def idle_ns(self) -> int:
        """Return how much of the time until now nobody computed, in nanoseconds.

        From an arbitrary start: only differences mean something. Exact on a clock that skips;
        on one that waits it is what the process's CPU time leaves.
        """
        ...

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        """Wait in a coroutine; other tasks of its loop run meanwhile.

        Never returns before the deadline. Equal deadlines on one loop return in the order
        in which they were asked for.

        Args:
            deadline_ns: Time on this clock at which to go on.
        """
        ...

    def wait_until_ns(self, deadline_ns: int) -> None:
        """Wait in plain code, blocking the calling thread (and an event loop it runs).

        Args:
            deadline_ns: Time on this clock before which it does not return.

        Raises:
            ClockRefusedError: The calling thread is unknown to a clock that skips.
            ClockHangError: Nobody runs and nobody ever will.
        """
        ...

    def burn_ns(self, duration_ns: int) -> None:
        """Compute for so long: thread CPU time, or clock time alone in ``virtual``.

        Args:
            duration_ns: CPU time to spend on the calling thread.
        """
        ...


def seconds(duration_ns: int) -> float:
    """Return nanoseconds as seconds."""
    return duration_ns / NANOSECONDS_PER_SECOND


def nanoseconds(duration_s: float) -> int:
    """Return seconds as whole nanoseconds, rounded to the nearest."""
    return round(duration_s * NANOSECONDS_PER_SECOND)


def waited_nanoseconds(duration_s: float) -> int:
    """Return how long to wait for a duration in seconds: some time, if it is any at all.

    Code that waits until a deadline in floats waits once more for what is left of it, which
    may be 1e-17 s. Were that rounded to nothing, no time would pass, and it would do so for
    ever.
    """
    return max(1, nanoseconds(duration_s)) if duration_s > 0 else 0


def due_nanoseconds(when_s: float, now_ns: int) -> int:
    """Return the nanosecond in which a timer for ``when_s`` is due: the nearest.

    But never this one if ``when_s`` is later than it by what a float can tell. Code that
    finds itself called too early sets its timer again for the same moment (anyio's cancel
    scopes do); were that due at once, no time would pass, and it would do so for ever.
    """
    due_ns = nanoseconds(when_s)
    return now_ns + 1 if due_ns == now_ns and when_s > seconds(now_ns) else due_ns


class LoopObserver(Protocol):
    """Follows the iterations of event loops, in their threads."""

    def runs(self) -> None:
        """A loop has polled, and runs what is ready."""
        ...

    def polls(self) -> None:
        """It has run all of that, and polls again or waits."""
        ...


NowNs = Callable[[], int]
"""Reads a clock, in nanoseconds."""
