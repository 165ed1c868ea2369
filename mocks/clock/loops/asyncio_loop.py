"""asyncio's event loop on a clock that skips: its selector parks instead of waiting.

The real loop runs every callback, so its own cost is what gets measured. Only two things
differ: ``time()`` is the clock, and where the loop would wait for ``timeout`` seconds in
its selector, it polls once and then parks at the clock.
"""

import asyncio
import heapq
import selectors
import sys
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from itertools import count, groupby
from types import BuiltinFunctionType
from typing import Any, TypeVarTuple

from .. import failure_text as text
from ..own_waits import sets_result, tell_of_futures
from ..participants import Parking
from ..protocol import due_nanoseconds, nanoseconds, seconds
from ..skipping import SkippingClock
from ..threads import stacks
from .ordering import order_by_creation
from .ties import Ties
from .timers import Waits

Arguments = TypeVarTuple("Arguments")

_EPOLL_GRAIN_NS = 1_000_000


class SkippingSelector(selectors.BaseSelector):
    """A selector that never waits: what its loop would wait for, the clock skips.

    Mocked waits are what its loop would hear of from a socket: those whose time has come are
    woken here.
    """

    def __init__(
        self,
        clock: SkippingClock,
        mocked_waits: Waits,
        describe_tasks: Callable[[], str],
        order_ties: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._order_ties = order_ties
        self._mocked_waits = mocked_waits
        self._selector = selectors.DefaultSelector()
        self._describe_tasks = describe_tasks
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

    def park_here(self) -> Parking:
        """Let a loop that begins to run park as the participant that the calling thread is.

        Before its first poll: whoever schedules from another thread does so first, and then
        looks for the parking. Either he finds it, or the poll finds what he scheduled.

        Raises:
            ClockRefusedError: The calling thread is unknown to the clock.
        """
        self.parking = Parking(
            self._clock.participant_here(),
            lambda: f"its event loop has no timer; {self._describe_tasks()}",
            is_of_loop=True,
        )
        return self.parking

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
        clock, waits = self._clock, self._mocked_waits
        # nest_asyncio gives the loop's class a `run_forever` of its own.
        parking = self.parking or self.park_here()
        ready = self._selector.select(0)
        due_ns = waits.earliest_ns()
        has_nothing_to_do = not ready and (timeout is None or timeout > 0)
        if has_nothing_to_do and (due_ns is None or due_ns > clock.now_ns()):
            if len(self._selector.get_map()) > 1:
                raise clock.refuse(f"the event loop watches real I/O: {self._watched()}")
            self._look_for_frozen_time(timeout, due_ns)
            clock.park(parking, self._deadline_ns(timeout, due_ns))
            ready = self._selector.select(0)
        else:
            clock.spin(parking.participant, self._describe_tasks)
        waits.wake_due(clock.now_ns())
        if clock.choices is not None:
            self._order_ties()
        return ready

    def _look_for_frozen_time(self, timeout_s: float | None, due_ns: int | None) -> None:
        """Fail where a plain loop would wait for ever, since somebody has frozen its time."""
        if isinstance(time.monotonic, BuiltinFunctionType) or timeout_s is None:
            return
        if not _is_frozen_by_freezegun() or _are_loops_told():
            return
        if due_ns is None or self._clock.now_ns() + nanoseconds(timeout_s) < due_ns:
            raise self._clock.hang(text.FROZEN_LOOP)

    def _deadline_ns(self, timeout_s: float | None, due_ns: int | None) -> int | None:
        """When the loop would wake up by itself."""
        if timeout_s is None and due_ns is None:
            return None
        now_ns = self._clock.now_ns()
        waits_ns = [] if timeout_s is None else [nanoseconds(timeout_s)]
        waits_ns += [] if due_ns is None else [due_ns - now_ns]
        wait_ns = max(0, min(waits_ns))
        if self._clock.mode.charges_cpu:
            # epoll counts in milliseconds, and the selectors module rounds up.
            wait_ns = -(-wait_ns // _EPOLL_GRAIN_NS) * _EPOLL_GRAIN_NS
        return now_ns + wait_ns

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

    __slots__ = ("sequence",)

    def __init__(self, sequence: int, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.sequence = sequence

    def __lt__(self, other: Any) -> bool:
        return (self.when(), self.sequence) < (other.when(), other.sequence)


class SkippingEventLoop(asyncio.SelectorEventLoop):
    """asyncio's loop, keeping a skipping clock's time.

    Attributes:
        mocked_waits: What its coroutines wait for on the clock.
    """

    def __init__(self, clock: SkippingClock) -> None:
        self._clock = clock
        self.mocked_waits = Waits(clock.choices)
        self._skipping_selector = SkippingSelector(
            clock, self.mocked_waits, lambda: stacks.of_tasks(self), self._order_ties
        )
        super().__init__(self._skipping_selector)
        self._timer_sequence = count()
        self._ties = None if clock.choices is None else Ties(clock.choices, clock.now_ns)
        self._clock_resolution = _DUE_WITHIN_S
        order_by_creation(self, clock)
        tell_of_futures(self, clock.wait_observer)

    def time(self) -> float:
        """Return the clock's time in seconds."""
        return seconds(self._clock.now_ns())

    def run_forever(self) -> None:
        """Run until ``stop``.

        Raises:
            ClockRefusedError: The calling thread is unknown to the clock.
            ClockError: Time could not be kept.
        """
        self._skipping_selector.park_here()
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
        sequence = next(self._timer_sequence)
        if self._ties is not None:
            self._ties.begins(sequence, "timer")
        timer = _OrderedTimerHandle(sequence, when, callback, args, self, context)
        # What the original does with its own handle; the class cannot be chosen otherwise.
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        if callback is sets_result and self._clock.wait_observer is not None:
            self._clock.wait_observer.timer_set(due_ns, *args)
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

    def _order_ties(self) -> None:
        """Let timers that were set at different times for this one come in a chosen order."""
        ties = self._ties
        timers: list[_OrderedTimerHandle] = self._scheduled  # type: ignore[attr-defined]
        end_s = self.time() + _DUE_WITHIN_S
        due = [timer for timer in timers if timer.when() < end_s and not timer.cancelled()]
        if ties is None or not due:
            return
        due.sort()
        for _, tied in groupby(due, key=asyncio.TimerHandle.when):
            same = {timer.sequence: timer for timer in tied}
            for sequence, number in zip(sorted(same), ties.ordered(list(same)), strict=True):
                same[number].sequence = sequence
        heapq.heapify(timers)


_own_time = SkippingEventLoop.time


def _is_frozen_by_freezegun() -> bool:
    """Say whether ``time.monotonic`` stands still, and does not tick."""
    freezegun: Any = sys.modules.get("freezegun.api")
    if freezegun is None or not freezegun.freeze_factories:
        return False
    return isinstance(freezegun.freeze_factories[-1], freezegun.FrozenDateTimeFactory)


def _are_loops_told() -> bool:
    """Say whether event loops were told to keep another time than ``time.monotonic``.

    What freezes that does so to the class that ``asyncio.new_event_loop`` makes one of: in the
    scope of a clock, or before it.
    """
    plain = asyncio.SelectorEventLoop
    return SkippingEventLoop.time is not _own_time or plain.time is not asyncio.BaseEventLoop.time
