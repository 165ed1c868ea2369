"""What a clock is, and what sets its three implementations (``wall``, ``warp``, ``virtual``) apart.

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

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, Self

from ..errors import ClockError
from .own_waits import WaitObserver

NANOSECONDS_PER_SECOND = 1_000_000_000


class ClockMode(StrEnum):
    """How time passes in a trial.

    Attributes:
        skips: Whether waiting takes no real time. Such a clock is a ``SkippingClock``; it cannot
            skip over real sockets.
        charges_cpu: Whether computing takes time on the clock. Where it takes none, every trial
            is the same, and sessions are charged for waiting alone.
    """

    skips: bool
    charges_cpu: bool

    def __new__(cls, name: str, skips: bool = False, charges_cpu: bool = True) -> Self:
        """Make a mode: its name, and the two columns of the table above."""
        mode = str.__new__(cls, name)
        mode._value_ = name
        mode.skips, mode.charges_cpu = skips, charges_cpu
        return mode

    #          name       skips  charges_cpu
    WALL = "wall", False, True
    WARP = "warp", True, True
    VIRTUAL = "virtual", True, False


class LoopObserver(Protocol):
    """Follows the iterations of event loops, in their threads."""

    def runs(self) -> None:
        """A loop has polled, and runs what is ready."""
        ...

    def polls(self) -> None:
        """It has run all of that, and polls again or waits."""
        ...


class Clock(Protocol):
    """Keeps the time of one trial; every mocked wait goes through it.

    A clock that waits for real has nothing to tell those who ask to be told: threads and event
    loops need no help of it.
    """

    before_blocked_loop: Callable[[], None] | None
    """Called in the thread of an event loop that is about to be blocked; likewise."""

    on_blocked_loop: Callable[[int, int], None] | None
    """Called in the thread of an event loop that was blocked, with begin and end, by a clock that
    skips; one that waits for real does not know of it."""

    loop_observer: LoopObserver | None
    """Told when event loops run and when they have nothing to run, by the loops of a clock that
    skips; other loops are followed by a timer."""

    wait_observer: WaitObserver | None
    """Told of waits that no mock begins, by a clock that skips. The loops that are made while it is
    set tell it of their futures."""

    @property
    def mode(self) -> ClockMode:
        """How this clock lets time pass."""
        ...

    @property
    def failure(self) -> ClockError | None:
        """Why time could not be kept, which voids the trial; always ``None`` for real time."""
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

    def tolerate(self, thread: threading.Thread, *, looks_at_frames: bool = False) -> None:
        """Declare a live thread one that never wakes anybody, so that time may skip.

        Args:
            thread: The thread.
            looks_at_frames: Whether it looks at the frames of others. Then finalisers may run in
                it, and wake whom they will.
        """
        ...

    def tolerate_those_alive(self) -> None:
        """Declare all other threads of the moment such threads: those of a test runner, say."""
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


NowNs = Callable[[], int]
"""Reads a clock, in nanoseconds."""
