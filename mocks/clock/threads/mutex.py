"""The lock around a clock's state, made for interruptions on the thread that holds it.

Finalisers and signal handlers run wherever Python lets them, so also half-way through a
section that this very thread has entered. What they ask of the clock (to wake somebody, as
a rule) must neither wait for the lock, which would never come free, nor see the state half
changed. It is postponed until the section is whole: whoever has left a section catches up
before it waits, or returns to code that is not the clock's.

Sections are entered by a lock written in C. One written in Python could be left by Ctrl-C
between two of its own lines, and stay locked.
"""

from collections import deque
from collections.abc import Callable
from threading import RLock

_of_c = vars(type(RLock()))


class _OwnRLock(type(RLock())):  # type: ignore[misc]  # CPython's is a type
    """A lock whose methods stay what they are, whatever a clock replaces (``bare_locks``)."""

    acquire, release = _of_c["acquire"], _of_c["release"]
    __enter__, __exit__ = _of_c["__enter__"], _of_c["__exit__"]


class Mutex:
    """Guards sections of code; what interrupts one waits for its end."""

    __slots__ = ("_postponed", "section")

    def __init__(self) -> None:
        self.section = _OwnRLock()
        self._postponed: deque[Callable[[], None]] = deque()

    def run(self, action: Callable[[], None]) -> None:
        """Run ``action`` as a section: now, or when the section that it interrupts has ended."""
        if self.is_inside():
            self._postponed.append(action)
            return
        with self.section:
            action()
        self.catch_up()

    def catch_up(self) -> None:
        """Run what was postponed, unless this thread is in a section still."""
        while self._postponed and not self.is_inside():
            with self.section:
                self.settle()

    def settle(self) -> None:
        """Run what was postponed, from within a section that is whole at this point."""
        while self._postponed:
            self._postponed.popleft()()

    def is_inside(self) -> bool:
        """Say whether this thread is in a section."""
        # Private, but what `threading.Condition` asks of any lock it is given.
        return self.section._is_owned()  # type: ignore[no-any-return]
