"""A ``queue.SimpleQueue`` whose waiting the clock sees.

The original, in which pool workers wait for work, is written in C and out of sight. And
``queue.Queue`` cannot stand in for it: its ``put`` takes a plain lock, while that of
``SimpleQueue`` may interrupt any call on the same thread, which the finaliser of an
executor does. Here each step is one atomic operation of a deque, and no lock is held.

Invariant: whoever is taken off the waiters looks at the items once more before it sleeps
or gives up. So an item never lies there while somebody who came before it sleeps.
"""

import time
from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")


class WaitersLock(Protocol):
    """The lock of one wait: acquired twice by who waits, released by who wakes it."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, or block."""
        ...

    def release(self) -> None:
        """Free the lock."""
        ...


class SeenSimpleQueue(Generic[Item]):
    """An unbounded FIFO queue; see ``queue.SimpleQueue``."""

    def __init__(self, allocate_lock: Callable[[], WaitersLock]) -> None:
        self._allocate_lock = allocate_lock
        self._items: deque[Item] = deque()
        self._waiters: deque[WaitersLock] = deque()

    def put(self, item: Item, block: bool = True, timeout: float | None = None) -> None:
        """Add an item; never blocks (the parameters are those of ``queue.Queue``)."""
        del block, timeout
        self._items.append(item)
        self._wake_one()

    def put_nowait(self, item: Item) -> None:
        """Add an item."""
        self.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Item:
        """Take the oldest item, waiting for one if there is none.

        Args:
            block: Whether to wait.
            timeout: Seconds to wait at most; ``None`` without limit.

        Raises:
            Empty: There was none, or none came in time.
        """
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        end_s = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                remaining_s = -1.0 if end_s is None else end_s - time.monotonic()
                if not block or (end_s is not None and remaining_s <= 0):
                    raise Empty from None
            self._wait(remaining_s)

    def get_nowait(self) -> Item:
        """Take the oldest item, or raise ``Empty``."""
        return self.get(block=False)

    def empty(self) -> bool:
        """Say whether there is no item right now."""
        return not self._items

    def qsize(self) -> int:
        """Return the number of items right now."""
        return len(self._items)

    def _wait(self, timeout_s: float) -> None:
        lock = self._allocate_lock()
        lock.acquire()
        self._waiters.append(lock)
        try:
            if not self._items:  # or one came before this waiter could be seen
                lock.acquire(timeout=timeout_s)
        except BaseException:
            if not self._forget(lock) and self._items:
                self._wake_one()  # woken for an item, and leaving without it
            raise
        self._forget(lock)

    def _forget(self, lock: WaitersLock) -> bool:
        try:
            self._waiters.remove(lock)
        except ValueError:
            return False
        return True

    def _wake_one(self) -> None:
        try:
            lock = self._waiters.popleft()
        except IndexError:
            return
        lock.release()
