"""The wall clock: waits for real. The ground truth, and the only mode for real sockets."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvloop

from .loops.timers import WaitsByLoop
from .protocol import ClockMode, LoopObserver, seconds
from .threads.cpu_burn import burn_thread_cpu_ns
from .threads.run_delay import RunDelays

if TYPE_CHECKING:
    from .own_waits import WaitObserver

_LOOP_GRAIN_NS = 1_000_000


class WallClock:
    """Real time; see ``Clock``."""

    mode = ClockMode.WALL
    failure = None

    def __init__(self) -> None:
        self.before_blocked_loop: Callable[[], None] | None = None
        self.on_blocked_loop: Callable[[int, int], None] | None = None
        self.loop_observer: LoopObserver | None = None
        self.wait_observer: WaitObserver | None = None
        self._run_delays = RunDelays()
        self._async_waits = WaitsByLoop(
            self.now_ns,
            grain_ns=_LOOP_GRAIN_NS,
            polls_stale=lambda loop: isinstance(loop, uvloop.Loop),
        )

    def now_ns(self) -> int:
        """Return the system's monotonic time in nanoseconds."""
        return time.monotonic_ns()

    def idle_ns(self) -> int:
        """Return the time until now in which nobody computed, or would have, in nanoseconds.

        That is real time less the CPU time of this process, and less the time for which its
        threads were ready and got no core.
        """
        return time.monotonic_ns() - time.process_time_ns() - self._run_delays.total_ns()

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        """Wait in a coroutine until ``deadline_ns``."""
        await self._async_waits.until_ns(deadline_ns)

    def wait_until_ns(self, deadline_ns: int) -> None:
        """Block the calling thread until ``deadline_ns``."""
        while (remaining_ns := deadline_ns - time.monotonic_ns()) > 0:
            time.sleep(seconds(remaining_ns))

    def burn_ns(self, duration_ns: int) -> None:
        """Spend ``duration_ns`` of this thread's CPU time."""
        burn_thread_cpu_ns(duration_ns)

    def tolerate(self, thread: threading.Thread, *, looks_at_frames: bool = False) -> None:
        """Do nothing: real time passes whatever threads there are."""

    def tolerate_those_alive(self) -> None:
        """Do nothing, likewise."""
