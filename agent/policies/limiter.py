"""A limit on concurrency, for threads and event loops alike."""

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from types import TracebackType
from typing import Protocol, Self

from ..errors import SettingsError


class Slots(Protocol):
    """Something to acquire a slot from, and to release the slot to."""

    def acquire(self, timeout_s: float | None = None) -> None:
        """Take a slot; block this thread until there is one.

        Raises:
            TimeoutError: There was none for so long.
        """
        ...

    async def acquire_async(self) -> None:
        """Take a slot; wait until there is one."""
        ...

    def release(self) -> None:
        """Give a slot back."""
        ...


class Unlimited:
    """Slots without end."""

    def acquire(self, timeout_s: float | None = None) -> None:
        """Take one of endless slots."""

    async def acquire_async(self) -> None:
        """Take one of endless slots."""

    def release(self) -> None:
        """Release the slot."""


class Limiter:
    """Admits a limited number at a time, in the order of arrival, from threads and loops.

    One limiter may be shared by agents, threads and event loops: ``with limiter:`` in a
    thread, ``async with limiter:`` in a coroutine. Whoever acquired a slot releases it; a waiter
    that is cancelled leaves the queue, and takes no slot with it.

    Args:
        limit: How many; at least 1.

    Raises:
        SettingsError: ``limit`` is below 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise SettingsError(f"limit is {limit}; expected at least 1")
        self.limit = limit
        self._guard = threading.Lock()
        self._free = limit
        # What each waiter waits for; a future works across threads and loops.
        self._waiters: deque[Future[None]] = deque()

    def acquire(self, timeout_s: float | None = None) -> None:
        """Take a slot; block this thread until there is one.

        Raises:
            TimeoutError: There was none for so long.
        """
        waiter = self._take_or_queue()
        if waiter is None:
            return
        try:
            waiter.result(timeout_s)
        except BaseException:  # time is up, or Ctrl-C
            self._leave(waiter)
            raise

    async def acquire_async(self) -> None:
        """Take a slot; wait until there is one."""
        waiter = self._take_or_queue()
        if waiter is None:
            return
        try:
            await asyncio.wrap_future(waiter)
        except asyncio.CancelledError:
            self._leave(waiter)
            raise

    def release(self) -> None:
        """Release a slot to the waiter that has waited longest."""
        with self._guard:
            while self._waiters:
                waiter = self._waiters.popleft()
                # False for one that was cancelled meanwhile.
                if waiter.set_running_or_notify_cancel():
                    break
            else:
                self._free += 1
                return
        # Outside the guard: this runs callbacks of the one that waits.
        waiter.set_result(None)

    def _take_or_queue(self) -> Future[None] | None:
        with self._guard:
            if self._free:
                self._free -= 1
                return None
            waiter: Future[None] = Future()
            self._waiters.append(waiter)
            return waiter

    def _leave(self, waiter: Future[None]) -> None:
        # If it cannot be cancelled, a slot was handed over in the same moment: release it.
        if not waiter.cancel():
            self.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    async def __aenter__(self) -> Self:
        await self.acquire_async()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
