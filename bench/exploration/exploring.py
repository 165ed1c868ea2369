"""Explores a cell: runs its sessions under many schedules, and finds the smallest case that fails.

Each trial is one of its own process, so that no state of one reaches the next. A failure counts
only if it comes again in a fresh one.
"""

import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from threading import Lock

from ...mocks.clock import Choice, seconds
from ...mocks.errors import TrialError
from ...mocks.observe.waits import WaitKind
from ...mocks.scenario import NO_LIMITS, WaitName
from ..results.cancellation import Cancellation, CancelledAt, WaitMade
from ..results.case import Case
from ..results.exploration import (
    Difference,
    DrawnWait,
    Exploration,
    Failure,
    Found,
    Note,
    Replayed,
)
from ..results.steps import Step
from ..results.trial_result import TrialResult
from ..runner.runner import Trials
from ..trial.spec import NotApplicable, TrialSpec
from .cancelled_in import cancelled_in
from .checking import Judged, Odd, cut_short, judged, likeness, placed
from .left_behind import left_failures
from .noting import Noting, most_alone
from .smallest import MOST_TRIALS, Budget, farther, smallest
from .variation import drawn_waits, spec_of_case, spec_of_schedule

AT_ONCE = 2
"""Trials in processes of their own under way at one time: what they take is computing."""


_Ran = TrialResult | NotApplicable | TrialError

Progress = Callable[[int, int], None]
"""Told how many schedules were run, and how many distinct failures were seen."""


@dataclass(slots=True)
class _Seen:
    """A failure while schedules are run.

    Attributes:
        schedule: The first schedule that showed it.
        failure: As it showed there.
        choices: Who went on out of turn there.
        count: How many schedules showed it.
    """

    schedule: int
    failure: Failure
    choices: tuple[Choice, ...]
    count: int = 0

    def as_it_is(self) -> Found:
        """Return the failure with the whole schedule, where no smaller case was looked for."""
        return Found(
            failure=self.failure,
            case=Case(self.schedule),
            seen_in=self.count,
            is_smallest=False,
        )


class Explorer:
    """Explores one cell.

    Args:
        trials: Runs trials.
        spec: The cell, in virtual time.
        at_once: How many trials are under way at one time.
        most_trials: So many are spent on the smallest case of a failure; with 2 it is only seen
            whether that comes again.
        takes_notes: Whether to note what sessions do otherwise than alone where that may be right.
    """

    def __init__(
        self,
        trials: Trials,
        spec: TrialSpec,
        at_once: int = AT_ONCE,
        *,
        most_trials: int = MOST_TRIALS,
        takes_notes: bool = True,
    ) -> None:
        self._trials = trials
        self._at_once = at_once
        self._most_trials = most_trials
        self._takes_notes = takes_notes
        self._spec = replace(
            spec, notes_waits=True, tells_left_behind=True, counts_expired_timers=True
        )
        self._lock = Lock()
        self._first: _Ran | None = None
        self._made: Mapping[int, Sequence[WaitMade]] | None = None
        # What was seen to be there once, however many sessions there are.
        self._constant: set[tuple[object, ...]] = set()

    def explore(
        self,
        schedules: int,
        progress: Progress = lambda *_: None,
        *,
        begins_at: int = 0,
        budget_s: float | None = None,
        stops_at_first: bool = False,
    ) -> Exploration:
        """Run schedules, and return the distinct failures with their smallest cases.

        Ctrl-C ends it with what was seen; no smaller cases are looked for then.

        Args:
            schedules: How many there are in all.
            progress: Told how it gets on.
            begins_at: The first one, to go on after an earlier exploration.
            budget_s: Real seconds after which no further one is begun.
            stops_at_first: Whether the first schedule that fails is the last one.

        Raises:
            TargetError: The target cannot be used.
        """
        began_s = time.monotonic()
        alone = self._ran_alone(self._spec)
        if isinstance(alone, NotApplicable):
            return Exploration(cell=self._spec.cell, not_applicable=alone.reason)
        usual_calls = alone.own_calls if isinstance(alone, TrialResult) else {}
        seen: dict[tuple[object, ...], _Seen] = {}
        numbers = range(begins_at, max(begins_at, schedules))
        done = 0
        is_interrupted = False
        found: list[tuple[_Seen, Found | None]] = []
        noting = Noting(most_alone(len(numbers)))
        notes: tuple[Note, ...] = ()
        try:
            with closing(self._all_judged(numbers, usual_calls)) as all_judged:
                for number, (each_judged, choices) in zip(numbers, all_judged, strict=True):
                    if self._takes_notes:
                        self._note(noting, Case(number), each_judged.odd)
                    first_of_each: dict[tuple[object, ...], Failure] = {}
                    for failure in each_judged.failures:
                        first_of_each.setdefault(likeness(failure), failure)
                    for key, failure in first_of_each.items():
                        seen.setdefault(key, _Seen(number, failure, choices)).count += 1
                    done += 1
                    progress(done, len(seen))
                    is_over = budget_s is not None and time.monotonic() - began_s >= budget_s
                    if is_over or (seen and stops_at_first):
                        break
            for key, each in seen.items():
                found.append((each, self._found(key, each, usual_calls)))
            notes = tuple(map(self._with_place, noting.notes()))
        except KeyboardInterrupt:
            is_interrupted = True
            notes = noting.notes()
            found += [(each, each.as_it_is()) for each in [*seen.values()][len(found) :]]
        return Exploration(
            cell=self._spec.cell,
            begins_at=begins_at,
            schedules=done,
            of=len(numbers),
            is_interrupted=is_interrupted,
            stopped_at_first=stops_at_first and bool(seen),
            found=tuple(each for _, each in found if each is not None),
            not_repeated=tuple((each.schedule, each.failure) for each, again in found if not again),
            notes=notes,
            not_compared=noting.not_compared,
            elapsed_s=time.monotonic() - began_s,
        )

    def replay(self, case: Case) -> Replayed:
        """Run a case again."""
        spec = _explained(self._of_case(case))
        result = self._run(spec)
        judged_here, noting = self._judged(spec, result, self._usual_calls()), Noting(1)
        self._note(noting, case, judged_here.odd)
        steps = _steps_of(result)
        return Replayed(
            case=case,
            trial=result if isinstance(result, TrialResult) else None,
            failures=judged_here.failures,
            unfit=tuple(_unfit(case, result)),
            notes=tuple(replace(each, first=placed(each.first, steps)) for each in noting.notes()),
        )

    def _note(self, noting: Noting, case: Case, odd: Odd) -> None:
        """Note what sessions of a case did otherwise than alone, where that may be right."""
        spec = self._of_case(case)
        noting.take(case, spec, odd, lambda: self._alone(spec))

    def _with_place(self, note: Note) -> Note:
        """Return a note with the place of its first example, for which that is run once more."""
        ran = self._run(_explained(self._of_case(note.case)))
        return replace(note, first=placed(note.first, _steps_of(ran)))

    def _all_judged(
        self, numbers: Sequence[int], usual_calls: Mapping[int, int]
    ) -> Generator[tuple[Judged, tuple[Choice, ...]], None, None]:
        def of_schedule(number: int) -> tuple[Judged, tuple[Choice, ...]]:
            spec = spec_of_schedule(self._spec, number, self._waits_made)
            ran = self._run(spec) if number else self._ran_first()
            return self._judged(spec, ran, usual_calls), _choices_of(ran)

        if self._at_once == 1:
            yield from map(of_schedule, numbers)
            return
        pool = ThreadPoolExecutor(self._at_once)
        try:
            yield from pool.map(of_schedule, numbers)
        finally:
            # Whoever interrupts an exploration ends its trials.
            pool.shutdown(wait=False, cancel_futures=True)

    def _found(
        self, key: tuple[object, ...], seen: _Seen, usual_calls: Mapping[int, int]
    ) -> Found | None:
        """Return a failure with the smallest case that shows it; ``None`` if it never comes again.

        Each case is run in a trial of its own, so that whatever is told has come again.
        """

        def failure_in(case: Case, *, explains: bool = False) -> tuple[Failure | None, _Ran]:
            spec = self._of_case(case)
            if explains:
                spec = _explained(spec)
            ran = self._run(spec)
            alike = (
                failure
                for failure in self._judged(spec, ran, usual_calls).failures
                if likeness(failure) == key
            )
            return next(alike, None), ran

        whole = spec_of_schedule(self._spec, seen.schedule, self._waits_made)
        met: set[WaitName] = set()

        def shows(case: Case) -> bool:
            failure, ran = failure_in(case)
            if failure is not None:
                met.update(_model_calls_of(ran))
            return failure is not None

        budget = Budget(shows, self._most_trials)
        case = smallest(
            Case(seen.schedule),
            sessions=whole.cell.session_count,
            cancels=whole.cancels,
            choices=seen.choices,
            lengths=lambda case: drawn_waits(self._of_case(case), met),
            budget=budget,
        )
        if case is None:
            return None
        # That more is noted changes nothing, but of code that measures itself.
        tries = ((each, explains) for each in farther(case) for explains in (True, False))
        for case, explains in tries:
            failure, ran = failure_in(case, explains=explains)
            if failure is not None:
                break
        return (
            None
            if failure is None
            else Found(
                failure=placed(failure, _steps_of(ran)),
                case=case,
                seen_in=seen.count,
                differences=tuple(self._differences(case, ran, met)),
                is_smallest=not budget.is_spent,
                steps=_steps_of(ran),
            )
        )

    def _differences(
        self, case: Case, ran: _Ran, met: Collection[WaitName]
    ) -> Iterator[Difference]:
        """Yield what a case keeps of its schedule, beside its sessions."""
        spec = self._of_case(case)
        yield from cancelled_in(_steps_of(ran), _cancellations_of(ran))
        yield from case.choices or ()
        for wait, (tool, latency_ns, median_ns) in drawn_waits(spec, met).items():
            if case.waits is None or wait in {kept.wait for kept in case.waits}:
                yield DrawnWait(
                    wait=wait,
                    tool=tool,
                    latency_s=seconds(latency_ns),
                    median_s=seconds(median_ns),
                )

    def _judged(self, spec: TrialSpec, result: _Ran, usual_calls: Mapping[int, int]) -> Judged:
        if isinstance(result, TrialError):
            return Judged(failures=(cut_short(result),))
        if isinstance(result, NotApplicable):
            return Judged()
        said = judged(result, spec, usual_calls, lambda: self._alone(spec))
        return replace(said, failures=(*said.failures, *self._left_behind(spec, result)))

    def _left_behind(self, spec: TrialSpec, trial: TrialResult) -> tuple[Failure, ...]:
        """Return what grows with the sessions of a schedule: half of them are run for that."""
        left = trial.left_behind
        if not left or left in self._constant:
            return ()
        sessions = spec.only or tuple(range(spec.cell.session_count))
        half = self._run(replace(spec, only=sessions[: len(sessions) // 2]))
        if not isinstance(half, TrialResult):
            return ()
        failures = tuple(left_failures(half.left_behind, left, len(sessions)))
        if not failures:
            self._constant.add(left)
        return failures

    def _usual_calls(self) -> Mapping[int, int]:
        alone = self._alone(self._spec)
        return {} if alone is None else alone.own_calls

    def _alone(self, spec: TrialSpec) -> TrialResult | None:
        result = self._ran_alone(spec)
        return result if isinstance(result, TrialResult) else None

    def _ran_alone(self, spec: TrialSpec) -> _Ran:
        """Run the sessions of a schedule one after another, on its latencies."""
        return self._run(
            replace(
                spec,
                scenario=replace(spec.scenario, limits=NO_LIMITS),
                cell=replace(spec.cell, concurrency=1),
                schedule=None,
                cancels=(),
            )
        )

    def _of_case(self, case: Case) -> TrialSpec:
        return spec_of_case(self._spec, case, self._waits_made)

    def _ran_first(self) -> _Ran:
        """Return what came of schedule 0, which is run once and names the waits of its sessions."""
        with self._lock:
            if self._first is None:
                self._first = self._run(replace(self._spec, names_waits=True))
            return self._first

    def _waits_made(self) -> Mapping[int, Sequence[WaitMade]]:
        """Return the waits that sessions make: in schedule 0, or alone where that has no end."""
        first = self._ran_first()
        with self._lock:
            if self._made is None:
                if not isinstance(first, TrialResult):
                    first = self._ran_alone(replace(self._spec, names_waits=True))
                self._made = first.waits_made if isinstance(first, TrialResult) else {}
            return self._made

    def _run(self, spec: TrialSpec) -> _Ran:
        try:
            return self._trials.run(spec)
        except TrialError as error:
            return error


def _explained(spec: TrialSpec) -> TrialSpec:
    """Return a trial that notes what its sessions do, and where."""
    return replace(spec, notes_places=True, accounts_time=True)


def _steps_of(ran: _Ran) -> tuple[Step, ...]:
    if isinstance(ran, NotApplicable):
        return ()
    return tuple(step for step in ran.steps if isinstance(step, Step))


def _unfit(case: Case, ran: _Ran) -> Iterator[Choice | Cancellation]:
    """Yield what a case asks for, and could not be done."""
    taken, cancelled = _choices_of(ran), [each.cancellation for each in _cancellations_of(ran)]
    yield from (choice for choice in case.choices or () if choice not in taken)
    for each in case.cancels or ():
        is_run = case.sessions is None or isinstance(each, int) or each.session in case.sessions
        if isinstance(each, Cancellation) and is_run and each not in cancelled:
            yield each


def _cancellations_of(ran: _Ran) -> tuple[CancelledAt, ...]:
    if isinstance(ran, NotApplicable):
        return ()
    return tuple(each for each in ran.cancelled if isinstance(each, CancelledAt))


def _model_calls_of(ran: _Ran) -> Iterator[WaitName]:
    """Yield the model calls that sessions made, whichever conversation they are of."""
    if isinstance(ran, TrialResult):
        for wait in ran.waits:
            if wait.kind is WaitKind.MODEL and wait.session >= 0:
                yield WaitName(wait.session, wait.step)


def _choices_of(ran: _Ran) -> tuple[Choice, ...]:
    if isinstance(ran, NotApplicable):
        return ()
    return tuple(Choice(*each) for each in ran.choices)
