"""asyncio's event loop in real time: its selector looks at the mocked waits, too.

So a mocked response wakes it as data from a socket would, at the cost that it has on the loop of
a clock that skips (``asyncio_loop``): no timer, and no iteration of its own. What ``warp`` charges
for waiting is then what ``wall`` takes for it.
"""

import asyncio
import selectors
import time

from ..protocol import seconds
from .timers import Waits


class _WaitingSelector(selectors.DefaultSelector):
    """The system's selector; it returns at the latest when a mocked wait is over."""

    def __init__(self, mocked_waits: Waits) -> None:
        super().__init__()
        self._mocked_waits = mocked_waits

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for data, for ``timeout`` seconds, or for the end of the earliest mocked wait."""
        due_ns = self._mocked_waits.earliest_ns()
        if due_ns is not None:
            left_s = seconds(max(0, due_ns - time.monotonic_ns()))
            timeout = left_s if timeout is None else min(timeout, left_s)
        ready = super().select(timeout)
        if due_ns is not None:
            self._mocked_waits.wake_due(time.monotonic_ns())
        return ready


class WaitingEventLoop(asyncio.SelectorEventLoop):
    """asyncio's loop, in real time.

    Attributes:
        mocked_waits: What its coroutines wait for on the clock.
    """

    def __init__(self) -> None:
        self.mocked_waits = Waits()
        super().__init__(_WaitingSelector(self.mocked_waits))
