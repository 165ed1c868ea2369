"""Runs every cell of a plan, trial by trial, and keeps what is finished."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from ...mocks.errors import TrialError
from ...mocks.redaction import redact
from ..results.cell import Cell
from ..results.records import CellResult, Environment, Run, Status, TrialFigures
from ..results.trial_file import CellKey, KeptTrials, NoTrialsKept
from ..results.trial_result import TrialResult
from ..statistics.ranking import score_of_trial
from ..statistics.standing import competes_with, undecided
from ..statistics.stopping import Sampling
from ..statistics.summary import cell_result, trial_figures, without_result
from ..trial.spec import NotApplicable, TrialSpec
from .findings import findings_of, interrupted
from .plan import in_turn, key_of


class Trials(Protocol):
    """What runs a trial: processes, or a fake of them in a test."""

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        """Run one trial; raise ``TrialError`` if it comes to nothing.

        Args:
            spec: The trial.
            then: The trial that is run next for sure, and may be prepared already; ``None`` if
                that is open.
        """
        ...


class Observer(Protocol):
    """Told how a run gets on."""

    def trial_begins(self, cell: Cell, done: int, total: int) -> None:
        """A trial begins, ``done`` of ``total`` before it."""
        ...

    def trial_ends(self, so_far: Callable[[], CellResult]) -> None:
        """A trial has ended; ``so_far`` makes what the trials of its cell say so far."""
        ...

    def cell_ends(self, result: CellResult) -> None:
        """A cell has its result."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """What is known of a run before its first trial."""

    created_at: str
    command: str
    environment: Environment
    objective: str | None = None
    secrets: tuple[str, ...] = ()


def run_cells(
    header: RunHeader,
    specs: Sequence[TrialSpec],
    *,
    sampling: Sampling,
    runner: Trials,
    observer: Observer,
    save: Callable[[Run], None],
    kept: KeptTrials | None = None,
    now_s: Callable[[], float] = time.monotonic,
    more: Callable[[Sequence[CellResult]], Sequence[TrialSpec]] = lambda _: (),
) -> tuple[Run, bool]:
    """Run the cells, their trials taking turns; keep each trial as it ends, the run at its end.

    A cell whose trial fails is a failed cell with the reason; the others go on. Ctrl-C,
    and a SIGTERM likewise, ends the run with what is finished.

    Args:
        header: Goes into the run as it is.
        specs: The cells.
        sampling: How many trials each gets.
        runner: Runs a trial.
        observer: Told how it gets on.
        save: Called with the run, once, when it has ended or is interrupted.
        kept: Where trials are kept as they end, and those of an earlier start are taken from.
        now_s: Reads the time that a budget is spent in.
        more: Names further cells by the results so far, until it has none.

    Returns:
        The run, and whether it was interrupted.

    Raises:
        TargetError: A target cannot be used.
    """
    measurement = Measurement(
        header,
        sampling=sampling,
        runner=runner,
        observer=observer,
        save=save,
        kept=kept,
        now_s=now_s,
    )

    def measure() -> None:
        measurement.measure(specs)
        while further := more(measurement.cells):
            measurement.measure(further)

    return measurement.run(measure)


class Measurement:
    """A run under way: cells are measured, more may follow, and in the end all are refined.

    Args:
        header: As for ``run_cells``.
        sampling: As for ``run_cells``; a budget is spent from now on.
        runner: As for ``run_cells``.
        observer: As for ``run_cells``.
        save: As for ``run_cells``.
        kept: As for ``run_cells``.
        now_s: As for ``run_cells``.
    """

    def __init__(
        self,
        header: RunHeader,
        *,
        sampling: Sampling,
        runner: Trials,
        observer: Observer,
        save: Callable[[Run], None],
        kept: KeptTrials | None,
        now_s: Callable[[], float],
    ) -> None:
        self._header = header
        self._sampling = sampling
        self._runner = runner
        self._observer = observer
        self._save = save
        self._kept = NoTrialsKept() if kept is None else kept
        self._now_s = now_s
        self._began_s = now_s()
        self._states: list[_CellState] = []
        self._taken = 0
        self._done = 0
        self._was_interrupted = False

    @property
    def cells(self) -> tuple[CellResult, ...]:
        """The cells that have a result."""
        return tuple(state.result for state in self._states if state.result is not None)

    def run(self, measure: Callable[[], None]) -> tuple[Run, bool]:
        """Measure, refine, and save the run, however it ends.

        One that was interrupted before anything was measured is not saved: it would take the
        place of an earlier one.

        Args:
            measure: Calls ``measure`` for all cells.

        Returns:
            As ``run_cells``.
        """
        try:
            measure()
            self._refine()
        except KeyboardInterrupt:
            self._was_interrupted = True
            for state in self._states:
                state.settle()
        run = self._run()
        if run.cells or not self._was_interrupted:
            self._save(run)
        return run, self._was_interrupted

    def measure(self, specs: Sequence[TrialSpec]) -> None:
        """Give each of these cells the trials that it gets at first, in turns there and back."""
        added = [
            _CellState(spec, self._sampling.of_cell(spec.cell), self._header.secrets, self._kept)
            for spec in specs
        ]
        self._states += added
        # A file that cannot be read is told before anything else is.
        kept = [state.take_kept() for state in added]
        for state, result in zip(added, kept, strict=True):
            self._tell_taken(state, result)
        turns = range(max((state.fewest_trials for state in added), default=0))
        plan = [(turn, state) for turn in turns for state in in_turn(added, turn)]
        for place, (turn, state) in enumerate(plan):
            if state.is_due(turn) and self._sampling.has_time(turn, self._spent_s, self._done):
                later = (plan[number] for number in range(place + 1, len(plan)))
                upcoming = next((each for turn, each in later if each.is_due(turn)), None)
                # Whether this very cell wants another trial is only known after this one.
                self._run_trial(
                    state, None if upcoming is None or upcoming is state else upcoming.spec
                )
        for state in added:
            if (result := state.settled_early()) is not None:
                self._observer.cell_ends(result)

    def _refine(self) -> None:
        """Spend what is left of a budget on the cells that another trial may tell more about."""
        for turn in count(self._sampling.trials):
            wanting = self._wanting(in_turn(self._states, turn))
            if not wanting:
                return
            for state in wanting:
                if not self._sampling.is_in_time(self._spent_s, self._done):
                    return
                self._run_trial(state)

    @staticmethod
    def _wanting(states: "Sequence[_CellState]") -> "list[_CellState]":
        """Return the cells that can't be ranked yet; else those whose figure is uncertain."""
        contests: defaultdict[tuple[object, ...], list[CellResult]] = defaultdict(list)
        for state in states:
            if state.result is not None:
                contests[competes_with(state.result)].append(state.result)
        open_ones = {id(result) for each in contests.values() for result in undecided(each)}
        undecided_ones = [
            state for state in states if state.has_room and id(state.result) in open_ones
        ]
        return undecided_ones or [state for state in states if state.wants_more]

    @property
    def _spent_s(self) -> float:
        return self._now_s() - self._began_s

    def _tell_taken(self, state: "_CellState", result: CellResult | None) -> None:
        """Tell of what an earlier start of the run has measured of a cell."""
        self._taken += state.trial_count
        if result is not None:
            self._observer.trial_begins(state.spec.cell, self._taken - 1, self._expected())
            self._observer.trial_ends(state.so_far)
            self._observer.cell_ends(result)

    def _expected(self) -> int:
        least = sum(state.expected_trials for state in self._states)
        return self._sampling.expected(least, self._spent_s, self._taken + self._done)

    def _run_trial(self, state: "_CellState", then: TrialSpec | None = None) -> None:
        self._observer.trial_begins(state.spec.cell, self._taken + self._done, self._expected())
        result = state.run_trial(self._runner, then)
        self._done += 1
        if state.trial_count:
            self._observer.trial_ends(state.so_far)
        if result is not None:
            self._observer.cell_ends(result)

    def _run(self) -> Run:
        cells = self.cells
        findings = findings_of(cells)
        if self._was_interrupted:
            findings = (interrupted(len(cells), len(self._states)), *findings)
        return Run(
            created_at=self._header.created_at,
            command=redact(self._header.command, self._header.secrets),
            environment=self._header.environment,
            objective=self._header.objective,
            cells=cells,
            findings=findings,
        )


class _CellState:
    """A cell and its trials so far.

    Attributes:
        wants_more: Whether it is to have another trial, if there is time.
        result: What there is to say of it, once it has as many trials as it needs at least.
    """

    def __init__(
        self,
        spec: TrialSpec,
        sampling: Sampling,
        secrets: tuple[str, ...],
        kept: KeptTrials,
    ) -> None:
        self.spec = spec
        self.wants_more = True
        self.result: CellResult | None = None
        self._sampling = sampling
        self._secrets = secrets
        self._kept = kept
        self._key: CellKey = key_of(spec)
        self._trials: list[TrialResult] = []
        self._figures: list[TrialFigures] = []
        self._so_far: tuple[int, CellResult] | None = None

    def take_kept(self) -> CellResult | None:
        """Take the trials that an earlier start of the run kept; return the cell's result."""
        for trial in self._kept.taken(self._key):
            self._add(trial, trial_figures(trial))
        return self._settled()

    def run_trial(self, runner: Trials, then: TrialSpec | None) -> CellResult | None:
        """Run one more trial; return the cell's result, or a better one, once it has one."""
        try:
            outcome = runner.run(self.spec, then)
        except TrialError as error:
            self.wants_more = False
            self.result = without_result(
                self.spec.cell, Status.FAILED, redact(str(error), self._secrets)
            )
            return self.result
        if isinstance(outcome, NotApplicable):
            self.wants_more = False
            self.result = without_result(
                self.spec.cell, Status.NOT_APPLICABLE, redact(outcome.reason, self._secrets)
            )
            return self.result
        figures = trial_figures(outcome)
        self._kept.keep(self._key, len(self._trials), outcome, figures)
        self._add(outcome, figures)
        return self._settled()

    def _add(self, trial: TrialResult, figures: TrialFigures) -> None:
        self._trials.append(trial)
        self._figures.append(figures)
        self.wants_more = self._sampling.wants([score_of_trial(each) for each in self._trials])

    def _settled(self) -> CellResult | None:
        if self.wants_more and self.trial_count < self.fewest_trials:
            return None
        self.settle()
        return self.result

    def settled_early(self) -> CellResult | None:
        """Return the result of a cell for whose other trials there was no time, if it is one."""
        if self.result is not None:
            return None
        self.settle()
        return self.result

    def settle(self) -> None:
        """Make a result of the trials that there are, if any."""
        lost = self.result is not None and self.result.status is not Status.MEASURED
        if self._trials and not lost:
            self.result = self.so_far()

    @property
    def fewest_trials(self) -> int:
        """How many trials it gets, unless it is certain before."""
        return self._sampling.trials

    @property
    def has_room(self) -> bool:
        """Whether it may have another trial."""
        return self._sampling.has_room(self.trial_count)

    @property
    def expected_trials(self) -> int:
        """How many trials it gets, as far as is known."""
        return self.fewest_trials if self.wants_more else self.trial_count

    def is_due(self, turn: int) -> bool:
        """Say whether it gets a trial in a turn."""
        return self.wants_more and self.trial_count <= turn < self.fewest_trials

    @property
    def trial_count(self) -> int:
        """How many of its trials came to something."""
        return len(self._trials)

    def so_far(self) -> CellResult:
        """Return what its trials say so far, of which there is one at least."""
        # Asked for twice after a cell's last trial; with many sessions it takes a while.
        if self._so_far is not None and self._so_far[0] == len(self._trials):
            return self._so_far[1]
        result = cell_result(self.spec.cell, self._trials, self._figures)
        if result.error is not None:
            result = replace(result, error=redact(result.error, self._secrets))
        self._so_far = len(self._trials), result
        return result
