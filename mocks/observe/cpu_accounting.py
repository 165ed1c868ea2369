"""CPU accounting: attributes CPU time to sessions, by the waits between which they compute.

The session whose wait ended last on a thread is the one whose code runs there, until its next
wait starts. So CPU time is attributed without looking at the code: exactly where the code runs
from one wait to the next without yielding, and mixed among sessions of one loop where it yields.

Reading a thread's CPU clock takes a system call, which is expensive inside a measurement. So it
is read as seldom as the kind of thread allows:

* An **event loop** switches between sessions many times a millisecond. Its waits are only
  recorded, and evaluated at the end; a reading once a millisecond shows for how much of the time
  it had a core.
* A **thread of one session** works for no other: it is read at its start and at its end.
* **Other threads**, such as those of a pool for tools, are read at the end of each wait.
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
        session: Number of the session.
        from_ns: Start of the segment, in computed time.
        until_ns: End of the segment.
    """

    session: int
    from_ns: int
    until_ns: int


class CpuAccounting:
    """The CPU time of one trial's sessions; at most one event loop may run sessions.

    *Computed time* is time on the clock less the time in which nobody computed (see
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
        """Record that a session starts on the calling thread.

        Args:
            session: Number of the session.
            computed_ns: When it starts, in computed time.
            on_loop: Whether an event loop runs the session, beside others; else it has the thread.
        """
        thread = get_ident()
        if on_loop:
            self._loop_thread = thread
            self._begins.append((computed_ns, session))
            if computed_ns >= self._next_reading_ns:
                self._read(computed_ns)
        else:
            self._owners[thread] = session
            self._here.running = None  # no other session has the thread any more
            self._here.read_ns = self._thread_cpu_ns()

    def ends(self, session: int, computed_ns: int) -> None:
        """Record that a session ends, on the thread on which it started."""
        thread = get_ident()
        if thread == self._loop_thread:
            self._ends.append((computed_ns, session))
            if computed_ns >= self._next_reading_ns:
                self._read(computed_ns)
        else:
            del self._owners[thread]
            self._entries.append((session, self._thread_cpu_ns() - self._here.read_ns))

    def waited(self, session: int, from_ns: int, until_ns: int) -> None:
        """Record that code of a session continues after a wait.

        Args:
            session: Number of the session.
            from_ns: Start of the wait, in computed time.
            until_ns: When the code continues.
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
        """Record that a tool computes on the calling thread, which is not the session's own code.

        Args:
            cpu_ns: CPU time of the tool.
        """
        if get_ident() != self._loop_thread:  # a loop's waits are left out anyway
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
    """The state of the calling thread.

    Attributes:
        read_ns: CPU clock of the thread, up to which all time is attributed.
        running: The session whose wait ended last.
    """

    read_ns: int = 0
    running: int | None = None


def turns(
    begins: Iterable[tuple[int, int]],
    ends: Iterable[tuple[int, int]],
    waits: Iterable[tuple[int, int, int]],
) -> Iterator[Turn]:
    """Return which session's code an event loop ran when, in the order of time.

    Args:
        begins: When sessions started, in computed nanoseconds, with their numbers.
        ends: When sessions ended.
        waits: From when to when sessions waited, with their numbers; waits of one may overlap.

    Returns:
        The segments from each moment at which a session's code continued to the next known event,
            and those that end with a wait of a session for which there was no such moment.
    """
    events: list[tuple[int, bool, int]] = []
    for at_ns, session in begins:
        events.append((at_ns, True, session))
    for at_ns, session in ends:
        events.append((at_ns, False, session))
    for from_ns, until_ns, session in waits:
        events.append((from_ns, False, session))
        events.append((until_ns, True, session))
    events.sort()
    running: int | None = None
    since_ns = events[0][0] if events else 0
    for at_ns, runs_on, session in events:
        if running is not None:
            yield Turn(running, since_ns, at_ns)
        elif not runs_on:
            yield Turn(session, since_ns, at_ns)
        running = session if runs_on else None
        since_ns = at_ns


def attributed(turns: Iterable[Turn], readings: Sequence[tuple[int, int]]) -> Counter[int]:
    """Return the CPU time of each session, in nanoseconds.

    Args:
        turns: The segments of the loop, in the order of time.
        readings: When the thread's CPU clock was read, in computed nanoseconds, and its value; in
            the order of time, each at the start or the end of a segment.

    Returns:
        The length of each session's segments. Where those between two readings were longer than
            the thread had a core (other threads had it, or the GIL), they are shortened.
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
