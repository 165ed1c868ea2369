"""The probe's other half: how the process was over time, sampled as the trial goes by.

Nothing here waits: a timer of its own would keep a skipping clock from skipping. A sample is
taken when a mark of the mocks comes by and the time for one has come; where nothing comes by,
nothing changes. What happens between two samples is not lost: the greatest loop lag and the sum
of the garbage collector's pauses are carried until the next.

A trial of a second and one of a day give the same number of samples: when there are too many,
every two become one, and the time between them doubles.

A sample is put off when they have taken more than 0.3 % of the process's CPU, but for
virtual time: nothing there may depend on what something took.
"""

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from ...mocks.clock import Clock, LoopObserver, nanoseconds
from ..results.own_waits import OwnWait
from ..results.timeline import Vitals
from .own_waits import OwnWaits
from .probe import Probe

_MOST_SAMPLES = 120
_FIRST_PERIOD_NS = 1_000_000
_FEWEST_SAMPLES = 5
_DEAR_EVERY = 8
_SHARE_OF_CPU = 0.003
_FIRST_LOOK_NS = 20_000_000
_LOOKS_PER_PERIOD = 16
_NEVER_NS = 1 << 62
_TICK_S = 0.01
_STATISTICS_OF_MEMORY = "/proc/self/statm"
_ENOUGH_BYTES = 200
_real_allocate_lock = threading.Lock

T = TypeVar("T")


class _Sample(NamedTuple):
    """One look at the process; a tuple, since it is made in the midst of what is measured."""

    at_ns: int
    loop_lag_ns: int
    in_flight: int
    sessions: int
    threads: int
    tasks: int
    rss_bytes: int
    cpu_ns: int
    gc_pause_ns: int


class VitalsRecorder:
    """Samples one trial; it also follows its event loop (see ``LoopObserver``).

    Attributes:
        cost_ns: CPU time that the samples took.

    Args:
        clock: Keeps the trial's time.
        watchdog: Follows the loop as well.
        looks_for_waits: Whether to look where tasks wait: not where each wait is noted.
    """

    def __init__(
        self,
        clock: Clock,
        watchdog: LoopObserver | None = None,
        *,
        looks_for_waits: bool = True,
    ) -> None:
        self._clock = clock
        self._looks_for_waits = looks_for_waits
        self._watchdog = watchdog
        self._probe: Probe | None = None
        self._in_flight: Callable[[], int] = lambda: 0
        self._lock = _real_allocate_lock()
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._memory: int | None = None
        self._gc_began_ns = 0
        self._begin(0)

    def _begin(self, origin_ns: int) -> None:
        self._samples: list[_Sample] = []
        self._origin_ns = origin_ns
        self._period_ns = _FIRST_PERIOD_NS
        self._next_ns = origin_ns
        self.cost_ns = 0
        self.iterations = 0
        self._resumed_ns: int | None = None
        self._lag_ns = 0
        self._gc_ns = 0
        self._tasks = 0
        self._looked_ns = origin_ns
        self._look_due_ns = _NEVER_NS
        self._look_period_ns = _FIRST_LOOK_NS
        self._looks = self._look_cost_ns = 0
        self._own_waits = OwnWaits(in_order=not self._clock.mode.charges_cpu)
        self._rss_bytes = 0
        self._cpu_from_ns = time.process_time_ns()

    def vitals(self) -> Vitals:
        """Return the samples so far, by columns."""
        rows = self._samples
        return Vitals(
            at_ns=tuple(row.at_ns for row in rows),
            loop_lag_ns=tuple(row.loop_lag_ns for row in rows),
            in_flight=tuple(row.in_flight for row in rows),
            sessions=tuple(row.sessions for row in rows),
            threads=tuple(row.threads for row in rows),
            tasks=tuple(row.tasks for row in rows),
            rss_bytes=tuple(row.rss_bytes for row in rows),
            cpu_ns=tuple(row.cpu_ns for row in rows),
            gc_pause_ns=tuple(row.gc_pause_ns for row in rows),
        )

    def own_waits(self) -> tuple[OwnWait, ...]:
        """Return where sessions were seen to wait inside their own code."""
        return self._own_waits.noted()

    # ---- what comes by --------------------------------------------------------------------

    def tick(self, now_ns: int) -> int:
        """A mark comes by at ``now_ns``; take a sample if one is due. Returns when the next is."""
        if now_ns < self._next_ns or not self._lock.acquire(blocking=False):
            return self._next_ns
        try:
            before_ns = time.thread_time_ns()
            self._take(now_ns)
            self.cost_ns += time.thread_time_ns() - before_ns
        finally:
            self._lock.release()
        return self._next_ns

    def runs(self) -> None:
        """The event loop has polled, and runs what is ready."""
        if self._watchdog is not None:
            self._watchdog.runs()
        now_ns = self._clock.now_ns()
        if now_ns >= self._look_due_ns:  # the tasks still wait in what they waited in until now
            self._look(now_ns)
            now_ns = self._clock.now_ns()
        self._resumed_ns = now_ns

    def polls(self) -> None:
        """It has run all of that: a timer that came due meanwhile waited until now."""
        if self._watchdog is not None:
            self._watchdog.polls()
        self.iterations += 1
        resumed_ns = self._resumed_ns
        if resumed_ns is not None:
            self._resumed_ns = None
            self._lag_ns = max(self._lag_ns, self._clock.now_ns() - resumed_ns)

    async def timing(self, work: Coroutine[object, object, T]) -> T:
        """Run work on a loop that cannot be followed, with a timer: as late as that the loop is.

        For real time only; libuv does not tell of its iterations.
        """
        loop = asyncio.get_running_loop()
        pending: list[asyncio.TimerHandle] = []

        def tick(due_s: float) -> None:
            now_s = loop.time()
            self._lag_ns = max(self._lag_ns, nanoseconds(now_s - due_s))
            now_ns = self._clock.now_ns()
            if now_ns >= self._look_due_ns:
                self._look(now_ns)
            if self._watchdog is not None:
                self._watchdog.polls()
                self._watchdog.runs()
            pending[:] = [loop.call_at(now_s + _TICK_S, tick, now_s + _TICK_S)]

        tick(loop.time())
        try:
            return await work
        finally:
            pending[0].cancel()
            if self._watchdog is not None:
                self._watchdog.polls()

    @contextmanager
    def watching(
        self,
        loop: asyncio.AbstractEventLoop | None,
        probe: Probe,
        in_flight: Callable[[], int],
    ) -> Iterator[None]:
        """Sample what happens in this scope, and forget what was before.

        Args:
            loop: Its tasks are counted, if there is one.
            probe: Knows which sessions run; times count from its origin.
            in_flight: Counts the model calls that wait.
        """
        self._begin(probe.origin_ns)
        self._loop, self._probe, self._in_flight = loop, probe, in_flight
        if loop is not None and self._looks_for_waits:
            self._look_due_ns = probe.origin_ns + self._look_period_ns
        gc.callbacks.append(self._collected)
        try:
            with _statistics_of_memory() as self._memory:
                yield
                self._take(self._clock.now_ns())
        finally:
            gc.callbacks.remove(self._collected)
            self._loop = self._memory = None
            self._look_due_ns = _NEVER_NS

    def _collected(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._gc_began_ns = time.thread_time_ns()
        elif self._gc_began_ns:
            self._gc_ns += time.thread_time_ns() - self._gc_began_ns
            self._gc_began_ns = 0

    # ---- samples ----------------------------------------------------------------------------

    def _take(self, now_ns: int) -> None:
        cpu_ns = time.process_time_ns() - self._cpu_from_ns
        resumed_ns = self._resumed_ns
        if resumed_ns is not None:  # the loop has not come round yet: so late is it already
            self._lag_ns = max(self._lag_ns, now_ns - resumed_ns)
        self._next_ns = now_ns + max(self._period_ns, self._unaffordable_ns(now_ns, cpu_ns))
        self._samples.append(
            _Sample(
                at_ns=now_ns - self._origin_ns,
                loop_lag_ns=self._lag_ns,
                in_flight=self._in_flight(),
                sessions=0 if self._probe is None else self._probe.running,
                threads=threading.active_count(),
                tasks=self._count_of_tasks(),
                rss_bytes=self._resident_bytes(),
                cpu_ns=cpu_ns,
                gc_pause_ns=self._gc_ns,
            )
        )
        self._lag_ns = self._gc_ns = 0
        if len(self._samples) > _MOST_SAMPLES:
            self._samples = _halved(self._samples)
            self._period_ns *= 2

    def _look(self, now_ns: int) -> None:
        """Look where tasks wait; ever more seldom, as samples become, and within its share."""
        assert self._loop is not None
        before_ns = time.thread_time_ns()
        self._own_waits.look(asyncio.all_tasks(self._loop), now_ns - self._looked_ns)
        self._looked_ns = now_ns
        self._looks += 1
        if self._looks % _LOOKS_PER_PERIOD == 0:
            self._look_period_ns *= 2
        cost_ns = time.thread_time_ns() - before_ns
        self.cost_ns += cost_ns
        self._look_cost_ns += cost_ns
        wait_ns = self._look_period_ns
        if self._clock.mode.charges_cpu:
            cpu_ns = time.process_time_ns() - self._cpu_from_ns
            affordable_ns = int(cpu_ns * _SHARE_OF_CPU) + 1
            over_ns = self._look_cost_ns - affordable_ns
            so_far_ns = now_ns - self._origin_ns
            # However little a trial computes, there are a dozen: one at each doubling of its time.
            wait_ns = max(wait_ns, min(so_far_ns, so_far_ns * over_ns // affordable_ns))
        self._look_due_ns = now_ns + wait_ns

    def _unaffordable_ns(self, now_ns: int, cpu_ns: int) -> int:
        """How long until samples will have taken no more than their share, at the pace so far."""
        # Not in virtual time: there computing is free, and each run gives the same samples.
        if not self._clock.mode.charges_cpu or len(self._samples) < _FEWEST_SAMPLES:
            return 0
        affordable_ns = int(cpu_ns * _SHARE_OF_CPU) + 1
        return (now_ns - self._origin_ns) * (self.cost_ns - affordable_ns) // affordable_ns

    def _count_of_tasks(self) -> int:
        """Count them now and then: it takes longer, the more there are."""
        if self._loop is not None and len(self._samples) % _DEAR_EVERY == 1:
            self._tasks = len(asyncio.all_tasks(self._loop))
        return self._tasks

    def _resident_bytes(self) -> int:
        """Read it now and then: that takes as long as all the rest of a sample."""
        if self._memory is not None and len(self._samples) % _DEAR_EVERY == 0:
            pages = int(os.pread(self._memory, _ENOUGH_BYTES, 0).split()[1])
            self._rss_bytes = pages * self._page_bytes
        return self._rss_bytes


@contextmanager
def _statistics_of_memory() -> Iterator[int | None]:
    """Open what Linux tells of this process's memory; to open it anew costs ten times a reading."""
    try:
        descriptor = os.open(_STATISTICS_OF_MEMORY, os.O_RDONLY)
    except OSError:  # not on Linux
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _halved(samples: list[_Sample]) -> list[_Sample]:
    """Join every two samples: the state of the later, the worst lag, both pauses."""
    joined = [
        later._replace(
            loop_lag_ns=max(earlier.loop_lag_ns, later.loop_lag_ns),
            gc_pause_ns=earlier.gc_pause_ns + later.gc_pause_ns,
        )
        for earlier, later in zip(samples[::2], samples[1::2], strict=False)
    ]
    return joined if len(samples) % 2 == 0 else [*joined, samples[-1]]
