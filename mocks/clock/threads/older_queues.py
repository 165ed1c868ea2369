"""Lets a ``queue.SimpleQueue`` from before a scope be waited in on the clock.

It is written in C, and so is its wait. In the scope whoever finds it empty waits in a *view* of it
instead, which the clock sees; whoever puts something into it wakes him there. What was put lies in
the queue itself, before, in and after the scope.

Not reached are methods that were bound before, and waits that began before: a thread that waits
since then is none of the clock's.
"""

import queue
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from ..c_types import methods_replaced
from ..skipping import SkippingClock
from .simple_queue import SeenSimpleQueue, WaitersLock

_SimpleQueue: Any = queue.SimpleQueue
_real_get: Callable[..., Any] = vars(_SimpleQueue)["get"]
_real_put: Callable[..., None] = vars(_SimpleQueue)["put"]
_real_is_empty: Callable[..., bool] = vars(_SimpleQueue)["empty"]


class _ItemsOf:
    """The items of a queue that is written in C."""

    def __init__(self, older: object) -> None:
        self._older = older

    def popleft(self) -> Any:
        """Take the oldest item, or raise ``IndexError``."""
        try:
            return _real_get(self._older, False)
        except queue.Empty:
            raise IndexError from None

    def __len__(self) -> int:
        return 0 if _real_is_empty(self._older) else 1


class _View(SeenSimpleQueue[Any]):
    """An older queue, as one whose waiting the clock sees."""

    def __init__(self, older: object, allocate_lock: Callable[[], WaitersLock]) -> None:
        super().__init__(allocate_lock)
        self._older = older
        self._items = cast("deque[Any]", _ItemsOf(older))
        self._is_over = False

    def wake_one(self) -> None:
        """Something was put into the queue."""
        self._wake_one()

    def close(self) -> None:
        """Let those who still wait do so in the queue itself: the scope is over."""
        self._is_over = True
        while self._waiters:
            self._wake_one()

    def _wait(self, timeout_s: float) -> None:
        if not self._is_over:
            super()._wait(timeout_s)
        if self._is_over:
            item = _real_get(self._older, True, None if timeout_s < 0 else timeout_s)
            _real_put(self._older, item)


@contextmanager
def older_queues_taking_part(
    clock: SkippingClock, allocate_lock: Callable[[], WaitersLock]
) -> Iterator[None]:
    """Let older queues be waited in on ``clock`` in this scope.

    Args:
        clock: The clock.
        allocate_lock: Makes the lock of one wait.
    """
    views: dict[object, _View] = {}

    def get(older: Any, block: bool = True, timeout: float | None = None) -> Any:
        if not block or clock.current() is None:
            return _real_get(older, block, timeout)
        try:
            return _real_get(older, False)
        except queue.Empty:
            view = views.get(older) or views.setdefault(older, _View(older, allocate_lock))
        return view.get(timeout=timeout)

    def put(older: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
        _real_put(older, item, block, timeout)
        view = views.get(older)
        if view is not None:
            view.wake_one()

    def put_nowait(older: Any, item: Any) -> None:
        put(older, item)

    replacements: dict[str, Callable[..., Any]] = {"get": get, "put": put, "put_nowait": put_nowait}
    with methods_replaced(_SimpleQueue, replacements):
        try:
            yield
        finally:
            for view in views.values():
                view.close()
