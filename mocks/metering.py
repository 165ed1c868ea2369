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
from collections.abc import Callable, Mapping
from contextvars import ContextVar

from .clock import Clock, ClockMode
from .waits import Wait, WaitKind

SESSION: ContextVar[int | None] = ContextVar("warpbench_session", default=None)
"""The session whose code runs, where it can be known: in its task, and in what that starts."""

TOOL: ContextVar[str | None] = ContextVar("warpbench_tool", default=None)
"""The lab's tool that runs as plain code, where one does."""

_thread_time_ns = time.thread_time_ns

_Row = tuple[WaitKind, int, int, int | None, str, int, int, int, int, int, int]


class _State:
    """What one thread knows: which session it runs, and since when."""

    __slots__ = ("booked_ns", "session", "since_ns")

    def __init__(self, booked_ns: defaultdict[int, int]) -> None:
        self.session: int | None = None
        self.since_ns = _thread_time_ns()
        self.booked_ns = booked_ns


class Meter:
    """Notes the waits of a trial's sessions, and books the CPU time between them.

    Args:
        clock: Keeps the trial's time.
        books_cpu: Whether to book CPU time; never in ``virtual``, where it is free.
    """

    def __init__(self, clock: Clock, *, books_cpu: bool = False) -> None:
        self.now_ns = clock.now_ns
        self.idle_ns = clock.idle_ns
        self.root_of: Mapping[int, int] = {}
        """The session that a nested one belongs to; others stand for themselves."""
        self._books_cpu = books_cpu and clock.mode is not ClockMode.VIRTUAL
        self.pulse: Callable[[int], None] | None = None
        """Called at each mark, with the time."""
        self.forget()

    def forget(self) -> None:
        """Forget everything, the warm-up for instance."""
        self._rows: list[_Row] = []
        self._booked: list[defaultdict[int, int]] = []
        self._here = threading.local()

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

    def takes_up(self, session: int, now_ns: int) -> None:
        """The calling thread runs code of a session from here on, which is ``now_ns``."""
        if self.pulse is not None:
            self.pulse(now_ns)
        if not self._books_cpu:
            return
        state = self._state()
        cpu_ns = _thread_time_ns()
        if state.session is not None:
            state.booked_ns[state.session] += cpu_ns - state.since_ns
        state.session = self.root_of.get(session, session)
        state.since_ns = cpu_ns

    def lays_down(self, session: int) -> None:
        """The session has begun to wait, or has ended: what ran until here was somebody's."""
        if not self._books_cpu:
            return
        state = self._state()
        cpu_ns = _thread_time_ns()
        running = state.session
        if running is None:
            running = self.root_of.get(session, session)
        state.booked_ns[running] += cpu_ns - state.since_ns
        state.session = None
        state.since_ns = cpu_ns

    def _state(self) -> _State:
        # Reading an attribute of a thread's own costs as much as five others: once a mark.
        try:
            state: _State = self._here.state
        except AttributeError:
            booked_ns: defaultdict[int, int] = defaultdict(int)
            self._booked.append(booked_ns)
            state = self._here.state = _State(booked_ns)
        return state
