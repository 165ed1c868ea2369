"""Explores a cell: runs its sessions under many schedules, and finds the smallest case that fails.

Each trial is one of its own process, so that no state of one reaches the next. A failure counts
only if it comes again in a fresh one.
"""

import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from ...mocks.errors import TrialError
from ...mocks.scenario import NO_LIMITS
from ..results.exploration import Exploration, Failure, Found
from ..results.trial_result import TrialResult
from ..runner.runner import Trials
from ..trial.spec import NotApplicable, TrialSpec
from .checking import failures_in, hang, likeness
from .variation import spec_of_schedule

AT_ONCE = 2
"""Trials in processes of their own under way at one time: what they take is computing."""


Progress = Callable[[int, int], None]
"""Told how many schedules were run, and how many distinct failures were seen."""


@dataclass(slots=True)
class _Seen:
    """A failure while schedules are run.

    Attributes:
        schedule: The first schedule that showed it.
        count: How many did.
    """

    schedule: int
    count: int = 0


class Explorer:
    """Explores one cell.

    Args:
        trials: Runs trials.
        spec: The cell, in virtual time.
        at_once: How many trials are under way at one time.
    """

    def __init__(self, trials: Trials, spec: TrialSpec, at_once: int = AT_ONCE) -> None:
        self._trials = trials
        self._at_once = at_once
        self._spec = replace(spec, notes_waits=True)

    def explore(
        self,
        schedules: int,
        progress: Progress = lambda *_: None,
        *,
        stops_at_first: bool = False,
    ) -> Exploration:
        """Run schedules, and return the distinct failures with their smallest cases.

        Args:
            schedules: How many.
            progress: Told how it gets on.
            stops_at_first: Whether the first schedule that fails is the last one.

        Raises:
            TargetError: The target cannot be used.
        """
        began_s = time.monotonic()
        first = self._run(self._spec)
        if isinstance(first, NotApplicable):
            return Exploration(cell=self._spec.cell, not_applicable=first.reason)
        usual_calls = self._usual_calls()
        seen: dict[tuple[object, ...], _Seen] = {}
        done = 0
        with closing(self._all_failures(schedules, usual_calls)) as all_failures:
            for number, failures in enumerate(all_failures):
                for key in dict.fromkeys(map(likeness, failures)):
                    seen.setdefault(key, _Seen(number)).count += 1
                done = number + 1
                progress(done, len(seen))
                if seen and stops_at_first:
                    break
        smallest = (self._smallest(key, each, usual_calls) for key, each in seen.items())
        return Exploration(
            cell=self._spec.cell,
            schedules=done,
            found=tuple(each for each in smallest if each is not None),
            elapsed_s=time.monotonic() - began_s,
        )

    def replay(self, schedule: int) -> tuple[TrialResult | None, tuple[Failure, ...]]:
        """Run one schedule again; return what came of it, if it came to an end, and what failed."""
        spec = spec_of_schedule(self._spec, schedule)
        result = self._run(spec)
        trial = result if isinstance(result, TrialResult) else None
        return trial, self._failures(spec, result, self._usual_calls())

    def _all_failures(
        self, schedules: int, usual_calls: Mapping[int, int]
    ) -> Generator[tuple[Failure, ...], None, None]:
        def failures(number: int) -> tuple[Failure, ...]:
            spec = spec_of_schedule(self._spec, number)
            return self._failures(spec, self._run(spec), usual_calls)

        if self._at_once == 1:
            yield from map(failures, range(schedules))
            return
        pool = ThreadPoolExecutor(self._at_once)
        try:
            yield from pool.map(failures, range(schedules))
        finally:
            # Whoever interrupts an exploration ends its trials.
            pool.shutdown(wait=False, cancel_futures=True)

    def _smallest(
        self, key: tuple[object, ...], seen: _Seen, usual_calls: Mapping[int, int]
    ) -> Found | None:
        """Return a failure with the fewest sessions that show it; ``None`` if it never comes again.

        A session has the same latencies however many others there are.
        """
        whole = spec_of_schedule(self._spec, seen.schedule)
        for sessions in range(1, whole.cell.session_count + 1):
            cell = replace(
                whole.cell,
                session_count=sessions,
                concurrency=min(sessions, whole.cell.concurrency),
            )
            cancels_ns = tuple(each for each in whole.cancels_ns if each[0] < sessions)
            spec = replace(whole, cell=cell, cancels_ns=cancels_ns)
            for failure in self._failures(spec, self._run(spec), usual_calls):
                if likeness(failure) == key:
                    return Found(
                        failure=failure,
                        schedule=seen.schedule,
                        sessions=sessions,
                        seen_in=seen.count,
                    )
        return None

    def _failures(
        self,
        spec: TrialSpec,
        result: TrialResult | NotApplicable | TrialError,
        usual_calls: Mapping[int, int],
    ) -> tuple[Failure, ...]:
        if isinstance(result, TrialError):
            return (hang(str(result)),)
        if isinstance(result, NotApplicable):
            return ()
        return tuple(failures_in(result, spec, usual_calls, lambda: self._alone(spec)))

    def _usual_calls(self) -> Mapping[int, int]:
        alone = self._alone(self._spec)
        return {} if alone is None else alone.own_calls

    def _alone(self, spec: TrialSpec) -> TrialResult | None:
        """Run the sessions of a schedule one after another, on its latencies."""
        result = self._run(
            replace(
                spec,
                scenario=replace(spec.scenario, limits=NO_LIMITS),
                cell=replace(spec.cell, concurrency=1),
                schedule=None,
                cancels_ns=(),
            )
        )
        return result if isinstance(result, TrialResult) else None

    def _run(self, spec: TrialSpec) -> TrialResult | NotApplicable | TrialError:
        try:
            return self._trials.run(spec)
        except TrialError as error:
            return error
