"""Lets virtual time run on after the sessions of a trial, and tells what they left behind."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from ...mocks.clock import NANOSECONDS_PER_SECOND, SkippingClock
from ...mocks.observe.meter import Meter
from ..instruments.left_behind import LeftBehindTracker, MadeBefore
from ..results.trial_result import TrialResult
from ..targets.loading import Target, module_of_target
from .driving import LoopDriver

RUNS_ON_S = 60
"""Virtual seconds after the sessions: whatever has a time limit has met it by then."""

_MOST_CUTS = 100
"""So often what was left may end the wait for that time."""


class LeftBehindOfTrial:
    """Tells what is left of one trial, when all its other figures are known.

    Args:
        clock: Keeps the trial's time.
        meter: Notes its calls, if they are noted.
        target: What ``build_target`` takes.
        owns_process: As for ``LoopDriver``.
        made_before: What the target's import has made, if it was imported before the trial.
    """

    def __init__(
        self,
        clock: SkippingClock,
        meter: Meter | None,
        target: object,
        *,
        owns_process: bool,
        made_before: MadeBefore | None = None,
    ) -> None:
        self._clock = clock
        self._meter = meter
        self._owns_process = owns_process
        self._tracker = LeftBehindTracker(clock, _package_of(target), made_before)
        self.made = self._tracker.made

    def tracking(self) -> AbstractContextManager[None]:
        """Return the scope in which it is noted what may be left; a target is made inside."""
        return self._tracker.tracking()

    def around(
        self, around: Callable[[], AbstractContextManager[object]]
    ) -> Callable[[], AbstractContextManager[object]]:
        """Return what makes the scope of the sessions, given the scope that they have without."""

        @contextmanager
        def both() -> Iterator[None]:
            with self._tracker.sessions(), around():
                yield

        return both

    def told(
        self, measure: Callable[[], TrialResult], runner: asyncio.Runner | None
    ) -> Callable[[], TrialResult]:
        """Return what runs the sessions, lets time run on, and tells what is left as well.

        Args:
            measure: Runs the sessions.
            runner: Has the loop that they ran on, if they did.
        """

        def measure_and_tell() -> TrialResult:
            result = measure()
            loop = None if runner is None else runner.get_loop()
            until_ns = self._clock.now_ns() + RUNS_ON_S * NANOSECONDS_PER_SECOND
            if runner is not None and loop is not None and not loop.is_closed():
                self._run_on_loop(runner, until_ns)
            self._clock.wait_until_ns(until_ns)
            return replace(result, left_behind=self._tracker.found(loop, self._meter))

        return measure_and_tell

    def _run_on_loop(self, runner: asyncio.Runner, until_ns: int) -> None:
        """Let the loop run until a time, whatever is left does to it."""

        async def wait(*_: object) -> None:
            await self._clock.sleep_until_ns(until_ns)

        drive = LoopDriver(runner, wait, lambda work: work, owns_process=self._owns_process)
        for _ in range(_MOST_CUTS):
            if self._clock.now_ns() >= until_ns:
                return
            drive(None, ["the wait"], 1, _NobodyWatched())


class _NobodyWatched:
    """No sessions; see ``Watched``."""

    running = 0

    def not_begun(self, tasks: Sequence[str]) -> list[str]:
        """Return none: a wait that was cancelled is begun anew by who asked for it."""
        del tasks
        return []


def _package_of(target: object) -> str:
    """Return the name of the package with a target; empty for one that comes with the lab."""
    if isinstance(target, str):
        return module_of_target(target).partition(".")[0]
    if isinstance(target, Target):
        target = target.session or target.sync_session
    return str(getattr(target, "__module__", "")).partition(".")[0]
