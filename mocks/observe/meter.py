"""Measures sessions at the mocks: each wait, and whose code computed in between.

The mocks see when each wait of a session starts, when it is due and when the code continues. So
they also see from when to when that session's code may run (see ``cpu_accounting``).

All this happens in the midst of what is measured, so nothing on the way is a call that need not
be one.
"""

from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol

from ..clock import Clock
from .cpu_accounting import CpuAccounting
from .pools import PoolUse, PoolUses
from .waits import SentRequest, Wait, WaitEnding, WaitKind

TOOL: ContextVar[str | None] = ContextVar("warpbench_tool", default=None)
"""Name of the lab's tool that runs as plain code, if any."""

Row = tuple[
    WaitKind, int, int, int | None, str, int, int, int, int, int, int, WaitEnding, bool, str
]
"""A wait, as ``Wait`` has it."""


class OpenCall(Protocol):
    """A call that is not over."""

    def row_so_far(self) -> Row:
        """Return what it waited until now."""
        ...


_NEVER_NS = 1 << 62


def _never(_now_ns: int) -> int:
    return _NEVER_NS


def _nowhere() -> str:
    return ""


def _nothing() -> None:
    pass


class Meter:
    """Records the waits of a trial's sessions, and attributes the CPU time between them.

    Attributes:
        note: Records a wait that is over; appending is atomic.
        cpu: The CPU time of the sessions, if it is attributed.
        open_calls: The calls that are not over.
        pools: The waits for a free connection of a client's pool, counted.
        note_thread: Records a wait for a thread of a pool, which is no call; likewise.
        sent: The requests over sockets that are over, as their clients saw them.
        caller: Returns the place in the user's code that is calling, or empty text.
        notes_places: Whether the place of each call is noted where it is made.
        session_ended: Called where a session has ended, in its context.
        tick_due_ns: When the next caller is to call ``ticks``.

    Args:
        clock: Keeps the trial's time.
        accounts_cpu: Whether to attribute CPU time; never in ``virtual``, where it is free.
    """

    def __init__(self, clock: Clock, *, accounts_cpu: bool = False) -> None:
        self.now_ns = clock.now_ns
        self.idle_ns = clock.idle_ns
        self._accounts_cpu = accounts_cpu and clock.mode.charges_cpu
        self._tick: Callable[[int], int] = _never
        self.caller: Callable[[], str] = _nowhere
        self.notes_places = False
        self.session_ended: Callable[[], None] = _nothing
        self.tick_due_ns = _NEVER_NS
        self.forget()

    def forget(self) -> None:
        """Forget all waits so far, those of a warm-up for instance."""
        self._rows: list[Row] = []
        self.note: Callable[[Row], None] = self._rows.append
        self.open_calls: dict[OpenCall, None] = {}
        self.pools = PoolUses()
        self._thread_rows: list[Row] = []
        self.note_thread: Callable[[Row], None] = self._thread_rows.append
        self.sent: list[SentRequest] = []
        self.cpu = CpuAccounting() if self._accounts_cpu else None

    def begins(self, session: int, now_ns: int, idle_ns: int, *, on_loop: bool) -> None:
        """Record that a session starts on the calling thread.

        Args:
            session: Number of the session.
            now_ns: When the session starts, on the clock.
            idle_ns: Nanoseconds in which nobody had computed until then.
            on_loop: Whether an event loop runs the session, beside others.
        """
        if now_ns >= self.tick_due_ns:
            self.ticks(now_ns)
        if self.cpu is not None:
            self.cpu.begins(session, now_ns - idle_ns, on_loop=on_loop)

    def ends(self, session: int, now_ns: int, idle_ns: int) -> None:
        """Record that a session ends, on the thread on which it started."""
        if self.cpu is not None:
            self.cpu.ends(session, now_ns - idle_ns)
        self.session_ended()

    def ticking(self, tick: Callable[[int], int] | None) -> None:
        """Set the function that is called with the time, and returns when to call it next."""
        self._tick = tick or _never
        self.tick_due_ns = 0

    def ticks(self, now_ns: int) -> None:
        """Call the tick function, which is due."""
        self.tick_due_ns = self._tick(now_ns)

    @property
    def waits(self) -> tuple[Wait, ...]:
        """The waits that are over, in the order of their ends, then those of open calls."""
        still_open = [call.row_so_far() for call in list(self.open_calls)]
        return tuple(Wait(*row) for row in (*self._rows, *still_open))

    @property
    def wait_count(self) -> int:
        """How many waits there are, over or not."""
        return len(self._rows) + len(self.open_calls)

    @property
    def thread_waits(self) -> tuple[Wait, ...]:
        """The waits for a thread of a pool that are over."""
        return tuple(Wait(*row) for row in self._thread_rows)

    @property
    def pool_uses(self) -> tuple[PoolUse, ...]:
        """The pools of connections that were too small, by client and limit."""
        return self.pools.noted()

    def cpu_ns_by_session(self) -> Counter[int]:
        """Return the CPU time that was attributed to each session, in nanoseconds."""
        return Counter() if self.cpu is None else self.cpu.cpu_ns_by_session()
