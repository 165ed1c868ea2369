"""asyncio's event loop on a clock that skips: its selector parks instead of waiting.

The real loop runs every callback, so its own cost is what gets measured. Only two things
differ: ``time()`` is the clock, and where the loop would wait for ``timeout`` seconds in
its selector, it polls once and then parks at the clock.
"""

import asyncio
import heapq
import math
import selectors
from collections.abc import Callable, Mapping
from contextvars import Context
from itertools import count
from typing import Any, TypeVarTuple

from . import whereabouts
from .ordering import order_by_creation
from .protocol import ClockMode, due_nanoseconds, nanoseconds, seconds
from .skipping import Parking, Participant, SkippingClock

Arguments = TypeVarTuple("Arguments")

_EPOLL_GRAIN_PER_S = 1_000
_NANOSECONDS_PER_GRAIN = 1_000_000


class SkippingSelector(selectors.BaseSelector):
    """A selector that never waits: what its loop would wait for, the clock skips."""

    def __init__(self, clock: SkippingClock) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._describe_tasks: Callable[[], str] = lambda: "no task"
        self.parking: Parking | None = None
        self._self_pipe: selectors.SelectorKey | None = None

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Register a file object with the real selector."""
        key = self._selector.register(fileobj, events, data)
        if self._self_pipe is None:
            self._self_pipe = key  # a loop registers it first of all
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Unregister a file object from the real selector."""
        return self._selector.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Change what a file object is watched for."""
        return self._selector.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return what is registered."""
        return self._selector.get_map()

    def close(self) -> None:
        """Close the real selector."""
        self._selector.close()

    def park_here(self, participant: Participant, describe_tasks: Callable[[], str]) -> None:
        """Let a loop that begins to run park as ``participant``.

        Before its first poll: whoever schedules from another thread does so first, and then
        looks for the parking. Either he finds it, or the poll finds what he scheduled.
        """
        self._describe_tasks = describe_tasks
        self.parking = Parking(
            participant,
            lambda: f"its event loop has no timer; {describe_tasks()}",
            is_of_loop=True,
        )

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Poll; if nothing is ready, let the clock move to the loop's next deadline.

        Args:
            timeout: Seconds that the loop has nothing to do; ``None`` without a timer.

        Raises:
            ClockRefusedError: Real I/O is registered.
            ClockHangError: Nobody runs and nobody ever will.
        """
        observer = self._clock.loop_observer
        if observer is None:
            return self._select(timeout)
        observer.polls()
        try:
            return self._select(timeout)
        finally:
            observer.runs()

    def _select(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._selector.select(0)
        assert self.parking is not None
        if ready or (timeout is not None and timeout <= 0):
            self._clock.spin(self.parking.participant, self._describe_tasks)
            return ready
        if len(self._selector.get_map()) > 1:
            raise self._clock.refuse(f"the event loop watches real I/O: {self._watched()}")
        deadline_ns = None
        if timeout is not None:
            deadline_ns = self._clock.now_ns() + self._as_the_loop_waits_ns(timeout)
        self._clock.park(self.parking, deadline_ns)
        return self._selector.select(0)

    def _as_the_loop_waits_ns(self, timeout_s: float) -> int:
        if self._clock.mode is ClockMode.VIRTUAL:
            return nanoseconds(timeout_s)
        # epoll counts in milliseconds, and the selectors module rounds up.
        return math.ceil(timeout_s * _EPOLL_GRAIN_PER_S) * _NANOSECONDS_PER_GRAIN

    def _watched(self) -> str:
        keys = self._selector.get_map().values()
        return ", ".join(repr(key.fileobj) for key in keys if key != self._self_pipe)


_DUE_WITHIN_S = 0.75e-9
"""A timer is due if it lies less than this ahead.

More than the half nanosecond by which a deadline may be rounded down, so that the loop calls
what it has waited for; less than the one by which ``due_nanoseconds`` puts a timer off.
"""


class _OrderedTimerHandle(asyncio.TimerHandle):
    """A timer that, at equal deadlines, comes before those that were set later."""

    __slots__ = ("_sequence",)

    def __init__(self, sequence: int, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._sequence = sequence

    def __lt__(self, other: Any) -> bool:
        return (self.when(), self._sequence) < (other.when(), other._sequence)


class SkippingEventLoop(asyncio.SelectorEventLoop):
    """asyncio's loop, keeping a skipping clock's time."""

    def __init__(self, clock: SkippingClock) -> None:
        self._clock = clock
        self._skipping_selector = SkippingSelector(clock)
        super().__init__(self._skipping_selector)
        self._timer_sequence = count()
        self._clock_resolution = _DUE_WITHIN_S
        order_by_creation(self, clock)

    def time(self) -> float:
        """Return the clock's time in seconds."""
        return seconds(self._clock.now_ns())

    def run_forever(self) -> None:
        """Run until ``stop``.

        Raises:
            ClockRefusedError: The calling thread is unknown to the clock.
            ClockError: Time could not be kept.
        """
        here = self._clock.participant_here()
        self._skipping_selector.park_here(here, lambda: whereabouts.of_tasks(self))
        super().run_forever()

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call at ``when``; equal deadlines are called in the order in which they were set."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        due_ns = due_nanoseconds(when, self._clock.now_ns())
        if due_ns > nanoseconds(when):
            when = seconds(due_ns)
        timer = _OrderedTimerHandle(next(self._timer_sequence), when, callback, args, self, context)
        # What the original does with its own handle; the class cannot be chosen otherwise.
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Schedule from another thread; the loop counts as running from here."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        parking = self._skipping_selector.parking
        if parking is not None:
            self._clock.release(parking)
        return handle
