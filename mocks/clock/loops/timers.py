"""The waits of coroutines on one event loop: exact, held to their deadlines, in order.

An event loop's own timers are not good enough to mock a latency with. uvloop rounds them
to whole milliseconds and fires up to one millisecond early (a wait of 20.5 ms took
19.5 to 20.4 ms), and asyncio's heap of timers does not promise an order among equal
deadlines. So the waits stand in a heap of their own, ordered by (deadline, sequence
number), and the loop is asked for one timer only: the earliest. When it fires too early,
it is set again.

uvloop's timers also fire *late*: libuv works out how long to poll from the time at which
the iteration began, so a timer is late by whatever the callbacks of that iteration took
(15 ms of computing after ``call_later(0.5)``, and it fires after 0.515 s). What is mocked
here is no timer but a response, and a response wakes a loop when it arrives. So on such a
loop each wait is followed by an empty iteration, after which the time is fresh.

The loops of a clock that skips need no timer, nor does asyncio's in real time
(``polling``): they keep the waits themselves, look at them where they look for data from
sockets, and so take them up in that same iteration.
"""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from weakref import WeakKeyDictionary

from ..protocol import NowNs, seconds
from ..schedule import Choices
from .ties import Ties

_NEVER_NS = 1 << 62
_POLLS_NS = 1_000_000


class Waits:
    """The pending waits of one event loop, by deadline; whoever keeps them wakes them.

    Args:
        choices: Chooses the order of those that are woken together, as a loop hears of all answers
            that arrive within one millisecond; ``None``: that of their deadlines.
    """

    def __init__(self, choices: Choices | None = None) -> None:
        self._heap: list[tuple[int, int, asyncio.Future[None]]] = []
        self._sequence = count()
        self._ties = None if choices is None else Ties(choices)

    async def until_ns(self, deadline_ns: int) -> None:
        """Wait on the running loop until the clock shows ``deadline_ns``."""
        # Not by the loop: what it makes is what code of others awaits (see ``own_waits``).
        future: asyncio.Future[None] = asyncio.Future(loop=asyncio.get_running_loop())
        sequence = next(self._sequence)
        if self._ties is not None:
            self._ties.begins(sequence, "answer")
        heappush(self._heap, (deadline_ns, sequence, future))
        try:
            await future
        except BaseException:  # cancelled, or closed half-way
            future.cancel()
            raise

    def earliest_ns(self) -> int | None:
        """Return the earliest deadline that somebody still waits for.

        Where orders are explored it is the next whole millisecond, as it is for ``epoll``.
        """
        heap = self._heap
        while heap and heap[0][2].done():
            heappop(heap)
        if not heap:
            return None
        return heap[0][0] if self._ties is None else -(-heap[0][0] // _POLLS_NS) * _POLLS_NS

    def wake_due(self, now_ns: int) -> None:
        """Wake those whose time has come, in order; they run when the loop gets to them."""
        if self._ties is not None:
            self._wake_chosen(self._ties, now_ns)
            return
        heap = self._heap
        while heap and (heap[0][0] <= now_ns or heap[0][2].done()):
            _, _, future = heappop(heap)
            if not future.done():
                future.set_result(None)

    def _wake_chosen(self, ties: Ties, now_ns: int) -> None:
        due: dict[int, asyncio.Future[None]] = {}
        while self._heap and (self._heap[0][0] <= now_ns or self._heap[0][2].done()):
            _, sequence, future = heappop(self._heap)
            if future.done():
                ties.is_over(sequence)
            else:
                due[sequence] = future
        for sequence in ties.ordered(list(due)):
            due[sequence].set_result(None)


class WaitsOnTimer(Waits):
    """The same for a loop that keeps real time: woken by a timer of its own.

    Invariant: while a wait is pending, a timer of the loop is set that fires no later
    than the loop can reach the earliest deadline.
    """

    def __init__(self, now_ns: NowNs, *, grain_ns: int, polls_stale: bool) -> None:
        """Make the waits of a loop, without a reference to it: they must not keep it alive.

        Args:
            now_ns: Reads the clock.
            grain_ns: Timers are set for whole multiples of this. Real loops count in
                milliseconds: asked for less, uvloop would spin through its ready queue
                until the deadline, and that computing would be charged to the agent.
            polls_stale: Whether the loop polls for as long as seemed right before it ran
                the callbacks of its iteration.
        """
        super().__init__()
        self._now_ns = now_ns
        self._polls_stale = polls_stale
        self._refreshing = False
        self._grain_ns = grain_ns
        self._timer: asyncio.TimerHandle | None = None
        self._timer_deadline_ns = _NEVER_NS

    async def until_ns(self, deadline_ns: int) -> None:
        """Wait on the running loop until the clock shows ``deadline_ns``."""
        if deadline_ns < self._timer_deadline_ns:
            self._set_timer(deadline_ns)
        if self._polls_stale and not self._refreshing:
            self._refreshing = True
            asyncio.get_running_loop().call_soon(self._refreshed)
        try:
            await super().until_ns(deadline_ns)
        except BaseException:
            self._forget_cancelled()
            raise

    def _refreshed(self) -> None:
        # That an iteration runs at all is what refreshes the loop's time.
        self._refreshing = False

    def _set_timer(self, deadline_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_deadline_ns = deadline_ns
        delay_ns = max(0, deadline_ns - self._now_ns())
        grains = -(-delay_ns // self._grain_ns)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds(grains * self._grain_ns), self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._timer_deadline_ns = _NEVER_NS
        self.wake_due(self._now_ns())
        earliest_ns = self.earliest_ns()
        if earliest_ns is not None:
            self._set_timer(earliest_ns)

    def _forget_cancelled(self) -> None:
        earliest_ns = self.earliest_ns()
        if earliest_ns is None and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._timer_deadline_ns = _NEVER_NS
        elif earliest_ns is not None and earliest_ns > self._timer_deadline_ns:
            self._set_timer(earliest_ns)


class WaitsByLoop:
    """The waits of each event loop that a clock has met.

    A loop with an attribute ``mocked_waits`` keeps them itself; any other gets a timer.

    Args:
        now_ns: Reads the clock.
        grain_ns: As for ``WaitsOnTimer``.
        polls_stale: Says so of a loop, as for ``WaitsOnTimer``.
    """

    def __init__(
        self,
        now_ns: NowNs,
        *,
        grain_ns: int = 1,
        polls_stale: Callable[[asyncio.AbstractEventLoop], bool] = lambda _loop: False,
    ) -> None:
        self._now_ns = now_ns
        self._grain_ns = grain_ns
        self._polls_stale = polls_stale
        self._waits: WeakKeyDictionary[asyncio.AbstractEventLoop, WaitsOnTimer]
        self._waits = WeakKeyDictionary()

    async def until_ns(self, deadline_ns: int) -> None:
        """Wait on the running loop until the clock shows ``deadline_ns``."""
        loop = asyncio.get_running_loop()
        waits: Waits | None = getattr(loop, "mocked_waits", None) or self._waits.get(loop)
        if waits is None:
            waits = self._waits[loop] = WaitsOnTimer(
                self._now_ns, grain_ns=self._grain_ns, polls_stale=self._polls_stale(loop)
            )
        await waits.until_ns(deadline_ns)
