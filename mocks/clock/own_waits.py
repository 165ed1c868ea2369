"""Who is told of the waits that code begins itself: a timer of its loop, a lock, a sleep.

A mock tells of its own waits. What the code under test waits for without one passes through the
clock all the same: its loops make the futures and set the timers, and its threads park. Whose wait
it is, and where in the code it began, is for the observer to find out: the clock knows neither
sessions nor whose code is whose.
"""

import asyncio
from asyncio.futures import _set_result_unless_cancelled  # type: ignore[attr-defined]
from collections.abc import Callable
from typing import Any, Protocol

sets_result: Callable[..., object] = _set_result_unless_cancelled
"""What a timer calls that ends ``asyncio.sleep``; its first argument is the future."""

SLEEP = "time.sleep"
LOCK = "threading.Lock.acquire"
JOIN = "threading.Thread.join"
BY_STACK = ""
"""What a thread waits for, where only its stack says so."""


class WaitObserver(Protocol):
    """Told of waits that no mock begins; called in the thread that waits, below its code."""

    def future_made(self, future: "asyncio.Future[Any]") -> None:
        """A future was made, which somebody may await from now on."""
        ...

    def timer_set(self, due_ns: int, /, *arguments: Any) -> None:
        """A timer was set that ends a future, the first of its arguments, at ``due_ns``."""
        ...

    def thread_parks(self, awaits: str, due_ns: int | None) -> object:
        """The calling thread is about to wait.

        Args:
            awaits: For what; empty if only the stack says so.
            due_ns: Until when at the latest, on the clock.

        Returns:
            What ``thread_goes_on`` is to be given; ``None`` if it need not be called.
        """
        ...

    def thread_goes_on(self, wait: object) -> None:
        """The calling thread waits no longer."""
        ...


def tell_of_futures(loop: Any, observer: WaitObserver | None) -> None:
    """Tell an observer, if there is one, of the futures that a loop makes.

    An attribute of the one loop, not a method of its class: who measures what a loop costs without
    an observer is to measure the loop alone.
    """
    if observer is None:
        return
    make: Callable[[], asyncio.Future[Any]] = loop.create_future
    tell = observer.future_made

    def create_future() -> "asyncio.Future[Any]":
        future = make()
        tell(future)
        return future

    loop.create_future = create_future
