"""The connections of HTTP clients' pools, in-process: who finds none free waits, on the clock.

In-process no connection is opened, so a pool has nothing to give out, and its limit would have no
effect: 20 requests would be in flight through a pool of 5. So each request takes one of as many
places as its pool may have connections, and keeps it until its answer is read or closed, as over
sockets. Who finds none free waits in a queue, first come first served, and no longer than the
client's timeout for a pool.

A pool that may speak HTTP/2 has no limit here: one connection carries many requests.
"""

import asyncio
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, ref

from ...clock.protocol import NowNs

_NEVER_NS = -1


class Connections:
    """The connections that one pool may have.

    Requests of async clients give back in any thread; whoever waits is woken on its own loop.

    Attributes:
        most: How many.

    Args:
        most: How many.
        now_ns: Reads the clock.
    """

    __slots__ = ("_free", "_lock", "_now_ns", "_queue", "most")

    def __init__(self, most: int, now_ns: NowNs) -> None:
        self.most = most
        self._free = most
        self._now_ns = now_ns
        self._queue: OrderedDict[_Waiting, None] = OrderedDict()
        # A stream that is left may be collected, and so give back, while this thread has the lock.
        self._lock = threading.RLock()

    def take(self) -> bool:
        """Take a connection if one is free."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            return False

    def give_back(self) -> None:
        """Give a connection back: to who has waited longest, if anybody waits."""
        with self._lock:
            if not self._queue:
                self._free += 1
                return
            waiting, _ = self._queue.popitem(last=False)
            waiting.granted_ns = self._now_ns()
        waiting.wake()

    async def wait_async(self, timeout_s: float | None) -> int | None:
        """Wait for a connection in a coroutine.

        Args:
            timeout_s: Seconds after which to give up; ``None`` for never.

        Returns:
            When it was free, on the clock; ``None`` if that took longer than the timeout.
        """
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        here = threading.get_ident()

        def wake() -> None:
            if threading.get_ident() == here:
                _resolve(woken)
            else:
                loop.call_soon_threadsafe(_resolve, woken)

        waiting = _Waiting(wake)
        if self._has_taken_or_queues(waiting):
            return waiting.granted_ns
        # In a tie the mocked wait comes first, and with it whoever gives back: see docs/clock.md.
        timer = None if timeout_s is None else loop.call_later(timeout_s, _resolve, woken)
        try:
            await woken
        except BaseException:
            if not self._leaves(waiting):
                self.give_back()
            raise
        finally:
            if timer is not None:
                timer.cancel()
        return None if self._leaves(waiting) else waiting.granted_ns

    def wait(self, timeout_s: float | None) -> int | None:
        """Wait for a connection in plain code; likewise."""
        woken = threading.Event()
        waiting = _Waiting(woken.set)
        if self._has_taken_or_queues(waiting):
            return waiting.granted_ns
        try:
            woken.wait(timeout_s)
        except BaseException:
            if not self._leaves(waiting):
                self.give_back()
            raise
        return None if self._leaves(waiting) else waiting.granted_ns

    def _has_taken_or_queues(self, waiting: "_Waiting") -> bool:
        with self._lock:
            if self.take():  # given back since
                waiting.granted_ns = self._now_ns()
                return True
            self._queue[waiting] = None
            return False

    def _leaves(self, waiting: "_Waiting") -> bool:
        """Leave the queue; return whether it was still in it, and so got no connection."""
        with self._lock:
            return self._queue.pop(waiting, waiting) is None


class _Waiting:
    """A request in the queue."""

    __slots__ = ("granted_ns", "wake")

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        self.granted_ns = _NEVER_NS


def _resolve(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


class Pools:
    """The connections of each pool that is asked, for as long as the pool lives.

    Args:
        now_ns: Reads the clock.
    """

    def __init__(self, now_ns: NowNs) -> None:
        self._now_ns = now_ns
        self._of: WeakKeyDictionary[object, Connections] = WeakKeyDictionary()
        # Most trials have one pool, and to look it up takes 1 % of a mocked call.
        self._last: tuple[Callable[[], object], Connections] | None = None

    def of(self, pool: object) -> Connections:
        """Return the connections of a pool of httpcore's or httpcore2's."""
        last = self._last
        if last is not None and last[0]() is pool:
            return last[1]
        found = self._of.get(pool)
        if found is None:
            # Two threads may ask first at one time: both get what one of them has made.
            found = self._of.setdefault(pool, Connections(_most(pool), self._now_ns))
        self._last = ref(pool), found
        return found


def _most(pool: Any) -> int:
    """Return how many requests a pool sends at one time.

    Both libraries have it in the pool alone, under the name of its argument.
    """
    if getattr(pool, "_http2", False):
        return sys.maxsize
    most: int = getattr(pool, "_max_connections", sys.maxsize)
    return most
