"""Books CPU time to the sessions that took it, by the waits between which they compute.

Whose wait ended last on a thread, that session's code runs there until its next wait begins. So
CPU time can be attributed without a look at the code: exactly where it runs from one wait to the
next without giving way, and smeared over neighbours on the same event loop where it does give way.

A thread's CPU clock takes a system call to read, which is dear in the midst of what is measured.
It is read as seldom as the kind of thread allows:

* An **event loop** goes from session to session many times a millisecond. What it does is only
  noted, and reckoned at the end; a reading now and then tells how much of the time it had a core.
* A **thread of one session** works for nobody else: it is read at its begin and at its end.
* **Other threads**, of a pool for tools, say, are read at the end of each wait.
"""

import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import get_ident

_READ_EVERY_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Turn:
    """A segment in which an event loop ran code of one session.

    Attributes:
        session: Whose.
        from_ns: When it began, in computed time.
        until_ns: When it ended.
    """

    session: int
    from_ns: int
    until_ns: int


class CpuBooks:
    """The CPU time of one trial's sessions, of which at most one event loop runs any.

    *Computed time* is time on the clock less that in which nobody computed (see
    ``Clock.idle_ns``), in nanoseconds.

    Args:
        thread_cpu_ns: Reads the calling thread's CPU clock.
    """

    def __init__(self, thread_cpu_ns: Callable[[], int] = time.thread_time_ns) -> None:
        self._thread_cpu_ns = thread_cpu_ns
        self._loop_thread: int | None = None
        self._begins: list[tuple[int, int]] = []
        self._ends: list[tuple[int, int]] = []
        self._waits: list[tuple[int, int, int]] = []
        self._readings: list[tuple[int, int]] = []
        self._next_reading_ns = 0
        self._owners: dict[int, int] = {}
        self._here = _Thread()
        self._entries: list[tuple[int, int]] = []

    def begins(self, session: int, computed_ns: int, *, on_loop: bool) -> None:
        """A session begins on the calling thread.

        Args:
            session: Its number.
            computed_ns: When, in computed time.
            on_loop: Whether an event loop runs it, beside others; else it has the thread.
        """
        thread = get_ident()
        if on_loop:
            self._loop_thread = thread
            self._begins.append((computed_ns, session))
            if computed_ns >= self._next_reading_ns:
                self._read(computed_ns)
        else:
            self._owners[thread] = session
            self._here.running = None  # whoever had the thread before has it no more
            self._here.read_ns = self._thread_cpu_ns()

    def ends(self, session: int, computed_ns: int) -> None:
        """It ends, on the thread on which it began."""
        thread = get_ident()
        if thread == self._loop_thread:
            self._ends.append((computed_ns, session))
            if computed_ns >= self._next_reading_ns:
                self._read(computed_ns)
        else:
            del self._owners[thread]
            self._entries.append((session, self._thread_cpu_ns() - self._here.read_ns))

    def waited(self, session: int, from_ns: int, until_ns: int) -> None:
        """Code of a session runs on after a wait.

        Args:
            session: Its number.
            from_ns: When the wait began, in computed time.
            until_ns: When the code runs on.
        """
        thread = get_ident()
        if thread == self._loop_thread:
            self._waits.append((from_ns, until_ns, session))
            if until_ns >= self._next_reading_ns:
                self._read(until_ns)
        elif thread not in self._owners:
            here = self._here
            cpu_ns = self._thread_cpu_ns()
            running = here.running
            if running is not None:
                self._entries.append((running, cpu_ns - here.read_ns))
            here.running = session
            here.read_ns = cpu_ns

    def computes(self, cpu_ns: int) -> None:
        """A tool is to compute on the calling thread: that is no code of the session's own.

        Args:
            cpu_ns: CPU time that it takes.
        """
        if get_ident() != self._loop_thread:  # a loop's waits are left out, whatever they are
            self._here.read_ns += cpu_ns

    def cpu_ns_by_session(self) -> Counter[int]:
        """Return the CPU time that was attributed to each session, in nanoseconds."""
        total = attributed(turns(self._begins, self._ends, self._waits), self._readings)
        for session, cpu_ns in self._entries:
            total[session] += cpu_ns
        return total

    def _read(self, computed_ns: int) -> None:
        self._readings.append((computed_ns, self._thread_cpu_ns()))
        self._next_reading_ns = computed_ns + _READ_EVERY_NS


class _Thread(threading.local):
    """What is known of the calling thread.

    Attributes:
        read_ns: Its CPU clock, up to which all is attributed.
        running: The session whose wait ended last.
    """

    read_ns: int = 0
    running: int | None = None


def turns(
    begins: Iterable[tuple[int, int]],
    ends: Iterable[tuple[int, int]],
    waits: Iterable[tuple[int, int, int]],
) -> Iterator[Turn]:
    """Return what an event loop ran, and for whom, in the order of time.

    Args:
        begins: When sessions began, in computed nanoseconds, with their numbers.
        ends: When they ended.
        waits: From when to when sessions waited, with their numbers; those of one may overlap.

    Returns:
        The segments from each moment at which a session's code ran on to the next moment that is
        known of, and those that end with a wait of a session that nothing had told to run.
    """
    marks: list[tuple[int, bool, int]] = []
    for at_ns, session in begins:
        marks.append((at_ns, True, session))
    for at_ns, session in ends:
        marks.append((at_ns, False, session))
    for from_ns, until_ns, session in waits:
        marks.append((from_ns, False, session))
        marks.append((until_ns, True, session))
    marks.sort()
    running: int | None = None
    since_ns = marks[0][0] if marks else 0
    for at_ns, runs_on, session in marks:
        if running is not None:
            yield Turn(running, since_ns, at_ns)
        elif not runs_on:
            yield Turn(session, since_ns, at_ns)
        running = session if runs_on else None
        since_ns = at_ns


def attributed(turns: Iterable[Turn], readings: Sequence[tuple[int, int]]) -> Counter[int]:
    """Return the CPU time of each session, in nanoseconds.

    Args:
        turns: What the loop ran, in the order of time.
        readings: When the thread's CPU clock was read, in computed nanoseconds, and what it
            showed; in the order of time, each at the begin or the end of a turn.

    Returns:
        The length of each session's turns, shortened where those between two readings were longer
        than the thread had a core: others had it, or the interpreter, meanwhile.
    """
    read_at_ns = [at_ns for at_ns, _ in readings]
    total: Counter[int] = Counter()
    for window, its_turns in groupby(turns, lambda turn: bisect_right(read_at_ns, turn.from_ns)):
        lengths_ns: Counter[int] = Counter()
        for turn in its_turns:
            lengths_ns[turn.session] += turn.until_ns - turn.from_ns
        length_ns = lengths_ns.total()
        had_core_ns = length_ns
        if 0 < window < len(readings):
            had_core_ns = min(length_ns, readings[window][1] - readings[window - 1][1])
        for session, session_ns in lengths_ns.items():
            total[session] += session_ns * had_core_ns // length_ns if length_ns else 0
    return total
