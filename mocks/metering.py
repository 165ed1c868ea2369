"""Meters sessions from the side of the mocks: each wait, and whose code computed in between.

The mocks see when each wait of a session begins, when it is due and when the code takes it up;
so they see as well from when to when that session's code may run. A thread's CPU time from a
session's taking up to the next mark on that thread, of whatever session, is booked to it: exact
where code runs from one wait to the next without giving way, and smeared over neighbours on the
same event loop where it does give way in between.

Each mark costs a reading of the thread's CPU clock, about half a microsecond.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

from .clock import Clock, ClockMode
from .waits import Wait, WaitKind

SESSION: ContextVar[int | None] = ContextVar("warpbench_session", default=None)
"""The session whose code runs, where it can be known: in its task, and in what that starts."""

_Row = tuple[WaitKind, int, int, int | None, str, int, int, int, int, int, int]


class _Here(threading.local):
    """What one thread knows: which session it runs, and since when."""

    def __init__(self) -> None:
        self.session: int | None = None
        self.since_ns = time.thread_time_ns()
        self.booked_ns: defaultdict[int, int] | None = None


class Meter:
    """Notes the waits of a trial's sessions, and books the CPU time between them.

    Args:
        clock: Keeps the trial's time.
        root_of: The session that a nested one belongs to; others stand for themselves.
        books_cpu: Whether to book CPU time; never in ``virtual``, where it is free.
    """

    def __init__(
        self,
        clock: Clock,
        root_of: Mapping[int, int] = MappingProxyType({}),
        *,
        books_cpu: bool = False,
    ) -> None:
        self.now_ns = clock.now_ns
        self.idle_ns = clock.idle_ns
        self._root_of = root_of
        self._books_cpu = books_cpu and clock.mode is not ClockMode.VIRTUAL
        self._here = _Here()
        self.forget()

    def forget(self) -> None:
        """Forget everything, the warm-up for instance."""
        self._rows: list[_Row] = []
        self._booked: list[defaultdict[int, int]] = []
        self._here = _Here()

    @property
    def waits(self) -> tuple[Wait, ...]:
        """The waits that are over, in the order of their ends."""
        return tuple(Wait(*row) for row in self._rows)

    def cpu_ns_by_session(self) -> Counter[int]:
        """Return the CPU time that was booked to each session, in nanoseconds."""
        total: Counter[int] = Counter()
        for booked in self._booked:
            total.update(booked)
        return total

    def note(self, row: _Row) -> None:
        """Note a wait that is over; appending is atomic."""
        self._rows.append(row)

    def takes_up(self, session: int) -> None:
        """The calling thread runs code of a session from here on."""
        if not self._books_cpu:
            return
        here, now_ns = self._here, time.thread_time_ns()
        if here.session is not None:
            self._book(here, here.session, now_ns)
        here.session = self._root_of.get(session, session)
        here.since_ns = now_ns

    def lays_down(self, session: int) -> None:
        """The session has begun to wait, or has ended: what ran until here was somebody's."""
        if not self._books_cpu:
            return
        here, now_ns = self._here, time.thread_time_ns()
        running = self._root_of.get(session, session) if here.session is None else here.session
        self._book(here, running, now_ns)
        here.session = None
        here.since_ns = now_ns

    def _book(self, here: _Here, session: int, now_ns: int) -> None:
        if here.booked_ns is None:
            here.booked_ns = defaultdict(int)
            self._booked.append(here.booked_ns)
        here.booked_ns[session] += now_ns - here.since_ns
