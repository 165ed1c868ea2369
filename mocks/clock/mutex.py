"""The lock around a clock's state, made for interruptions on the thread that holds it.

Finalisers and signal handlers run wherever Python lets them, so also half-way through a
section that this very thread has entered. What they ask of the clock (to wake somebody, as
a rule) must neither wait for the lock, which would never come free, nor see the state half
changed. It is postponed until the section is whole.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from types import TracebackType


class Mutex:
    """Guards sections of code; an interruption of one waits for its end."""

    __slots__ = ("_depth", "_lock", "_postponed")

    def __init__(self) -> None:
        self._lock = RLock()
        self._depth = 0
        self._postponed: deque[Callable[[], None]] = deque()

    def __enter__(self) -> None:
        try:
            self._lock.acquire()
            self._depth += 1
        except BaseException:  # Ctrl-C, on either side of the first line
            with suppress(RuntimeError):
                self._lock.release()
            raise

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Whatever interrupts while the depth is 0 finds whole state and runs at once;
        # whatever interrupts while it is not is seen by the next turn of this loop.
        try:
            self._depth -= 1
            while self._depth == 0 and self._postponed:
                self._depth = 1
                if self._postponed:
                    self._postponed.popleft()()
                self._depth = 0
        finally:
            self._lock.release()

    def run(self, action: Callable[[], None]) -> None:
        """Run ``action`` as a section: now, or when the section that it interrupts ends."""
        with self._lock:
            if self._depth:
                self._postponed.append(action)
                return
            with self:
                action()
