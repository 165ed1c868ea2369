"""Meters sessions from the side of the mocks: each wait, and whose code computed in between.

The mocks see when each wait of a session begins, when it is due and when the code takes it up;
so they see as well from when to when that session's code may run. A thread's CPU time from a
session's taking up to the next mark on that thread, of whatever session, is booked to it: exact
where code runs from one wait to the next without giving way, and smeared over neighbours on the
same event loop where it does give way in between.

Each mark costs a reading of the thread's CPU clock. All this happens in the midst of what is
measured, so nothing on the way is a call that need not be one.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextvars import ContextVar

from .clock import Clock, ClockMode
from .waits import Wait, WaitKind

SESSION: ContextVar[int | None] = ContextVar("warpbench_session", default=None)
"""The session whose code runs, where it can be known: in its task, and in what that starts."""

TOOL: ContextVar[str | None] = ContextVar("warpbench_tool", default=None)
"""The lab's tool that runs as plain code, where one does."""

_Row = tuple[WaitKind, int, int, int | None, str, int, int, int, int, int, int]


_thread_time_ns = time.thread_time_ns


class _Book:
    """What one thread ran, for whom, and since when."""

    __slots__ = ("booked_ns", "session", "since_ns")

    def __init__(self) -> None:
        self.booked_ns: defaultdict[int, int] = defaultdict(int)
        self.session: int | None = None
        self.since_ns = _thread_time_ns()


class Meter:
    """Notes the waits of a trial's sessions, and books the CPU time between them.

    Attributes:
        root_of: The session that a nested one belongs to; others stand for themselves.
        note: Notes a wait that is over; appending is atomic.

    Args:
        clock: Keeps the trial's time.
        books_cpu: Whether to book CPU time; never in ``virtual``, where it is free.
    """

    def __init__(self, clock: Clock, *, books_cpu: bool = False) -> None:
        self.now_ns = clock.now_ns
        self.idle_ns = clock.idle_ns
        self.root_of: Mapping[int, int] = {}
        self._books_cpu = books_cpu and clock.mode is not ClockMode.VIRTUAL
        self._pulse: Callable[[int], int] | None = None
        self._pulse_due_ns = 0
        self.forget()

    def forget(self) -> None:
        """Forget everything, the warm-up for instance."""
        self._rows: list[_Row] = []
        self.note: Callable[[_Row], None] = self._rows.append
        self._books: list[_Book] = []
        self._here = threading.local()

    def takes_up(self, session: int, now_ns: int) -> None:
        """The calling thread runs code of a session from here on, which is ``now_ns``."""
        pulse = self._pulse
        if pulse is not None and now_ns >= self._pulse_due_ns:
            self._pulse_due_ns = pulse(now_ns)
        if not self._books_cpu:
            return
        try:
            book: _Book = self._here.book
        except AttributeError:
            book = self._opened()
        cpu_ns = _thread_time_ns()
        if book.session is not None:
            book.booked_ns[book.session] += cpu_ns - book.since_ns
        book.session = self.root_of.get(session, session)
        book.since_ns = cpu_ns

    def lays_down(self, session: int) -> None:
        """The session has begun to wait, or has ended: what ran until here was somebody's."""
        if not self._books_cpu:
            return
        try:
            book: _Book = self._here.book
        except AttributeError:
            book = self._opened()
        cpu_ns = _thread_time_ns()
        running = book.session
        if running is None:
            running = self.root_of.get(session, session)
        book.booked_ns[running] += cpu_ns - book.since_ns
        book.session = None
        book.since_ns = cpu_ns

    def _opened(self) -> _Book:
        book = self._here.book = _Book()
        self._books.append(book)
        return book

    def pulsing(self, pulse: Callable[[int], int] | None) -> None:
        """Let marks call ``pulse`` with the time; it returns when it wants to be called next."""
        self._pulse = pulse
        self._pulse_due_ns = 0

    @property
    def waits(self) -> tuple[Wait, ...]:
        """The waits that are over, in the order of their ends."""
        return tuple(Wait(*row) for row in self._rows)

    def cpu_ns_by_session(self) -> Counter[int]:
        """Return the CPU time that was booked to each session, in nanoseconds."""
        total: Counter[int] = Counter()
        for book in self._books:
            total.update(book.booked_ns)
        return total
