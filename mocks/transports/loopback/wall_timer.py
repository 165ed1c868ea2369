"""A wall clock whose waits end within a tenth of a millisecond, for the server alone.

An event loop's timers are as coarse as its poll: a millisecond, and more on uvloop. In a
trial that is part of the truth. The server stands for a model on another machine, whose
answers do not depend on this loop's resolution. So here a thread watches the deadlines (waiting
for a lock is precise) and wakes the loop.

Thread and loop take a third of a millisecond to wake. So the loop is woken earlier by that and
polls the clock until the deadline, for a tenth of the time at most. If more waits end than that
allows, the rest end as late as threads wake, and the server's core is left to the answers.
"""

import asyncio
import threading
import time
from heapq import heappop, heappush
from itertools import count

from ...clock import WallClock

_SECOND_NS = 1_000_000_000
_WAKING_NS = 400_000
_LOOKS_ONE_IN = 10
_MOST_SAVED_NS = 20 * _WAKING_NS
_Waiting = tuple[int, int, "asyncio.Future[None]"]


class Allowance:
    """Time that may be spent on polling: a share of the time that passes, saved up to a limit.

    Args:
        one_in: Time that passes for each unit that may be spent.
        most_ns: Greatest allowance, which is available at the start.
        now_ns: The time now.
    """

    def __init__(self, one_in: int, most_ns: int, now_ns: int) -> None:
        self._one_in = one_in
        self._most_ns = most_ns
        self._saved_ns = most_ns
        self._counted_ns = now_ns

    def left_ns(self, now_ns: int) -> int:
        """Return the time that may be spent now; ``now_ns`` must not go back."""
        earned_ns = (now_ns - self._counted_ns) // self._one_in
        self._saved_ns = min(self._saved_ns + earned_ns, self._most_ns)
        self._counted_ns += earned_ns * self._one_in
        return self._saved_ns

    def spend(self, spent_ns: int) -> None:
        """Subtract time that was spent."""
        self._saved_ns -= spent_ns


class PreciseWallClock(WallClock):
    """Real time; ``sleep_until_ns`` may be awaited on one event loop only.

    Call ``close`` when nobody waits any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self._watcher: threading.Thread | None = None
        self._is_open = True
        self._waiting: list[_Waiting] = []
        self._sequence = count()
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking = Allowance(_LOOKS_ONE_IN, _MOST_SAVED_NS, time.monotonic_ns())

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        """Wait in a coroutine until ``deadline_ns``."""
        if time.monotonic_ns() >= deadline_ns:
            return
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._watcher = threading.Thread(target=self._watch, name="deadlines", daemon=True)
            self._watcher.start()
        over = self._loop.create_future()
        with self._changed:
            heappush(self._waiting, (deadline_ns, next(self._sequence), over))
            if self._waiting[0][2] is over:
                self._changed.notify()
        await over

    def close(self) -> None:
        """End the thread that watches the deadlines."""
        with self._changed:
            self._is_open = False
            self._changed.notify()
        if self._watcher is not None:
            self._watcher.join()

    def _watch(self) -> None:
        assert self._loop is not None
        while True:
            with self._changed:
                if not self._is_open:
                    return
                due = self._take_due()
                if not due:
                    self._changed.wait(self._until_next_s())
                    continue
            try:
                self._loop.call_soon_threadsafe(_wake, due)
            except RuntimeError:
                if not self._loop.is_closed():
                    raise
                return  # who waited was cancelled, and then the loop ended

    def _take_due(self) -> list[_Waiting]:
        now_ns = time.monotonic_ns()
        until_ns = now_ns + self._lead_ns(now_ns)
        due = []
        while self._waiting and self._waiting[0][0] <= until_ns:
            due.append(heappop(self._waiting))
        if due:
            self._looking.spend(max(0, due[-1][0] - now_ns))
        return due

    def _lead_ns(self, now_ns: int) -> int:
        """Nanoseconds before the deadline at which the loop is woken."""
        return _WAKING_NS if self._looking.left_ns(now_ns) >= _WAKING_NS else 0

    def _until_next_s(self) -> float | None:
        if not self._waiting:
            return None
        now_ns = time.monotonic_ns()
        return max(0, self._waiting[0][0] - self._lead_ns(now_ns) - now_ns) / _SECOND_NS


def _wake(due: list[_Waiting]) -> None:
    for deadline_ns, _, over in due:
        while time.monotonic_ns() < deadline_ns and not over.done():
            pass
        if not over.done():
            over.set_result(None)
