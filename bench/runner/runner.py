"""Runs every cell of a plan, trial by trial, and keeps what is finished."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from ...mocks.errors import TrialError
from ...mocks.redaction import redact
from ..results.cell import Cell
from ..results.records import CellResult, Environment, Finding, Run
from ..results.trial_file import KeptTrials, NoTrialsKept
from ..results.trial_result import TrialResult
from ..statistics.stopping import Sampling
from ..trial.spec import NotApplicable, TrialSpec
from .cell_state import CellState, wanting_more
from .findings import findings_of, interrupted
from .plan import in_turn


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
    return measurement.run(specs, more)


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
        self._states: list[CellState] = []
        self._taken = 0
        self._least = 0
        self._done = 0
        self._was_interrupted = False

    @property
    def cells(self) -> tuple[CellResult, ...]:
        """The cells that have a result."""
        return tuple(state.result for state in self._states if state.result is not None)

    def run(
        self,
        specs: Sequence[TrialSpec],
        more: Callable[[Sequence[CellResult]], Sequence[TrialSpec]],
    ) -> tuple[Run, bool]:
        """Measure, refine, and save the run, however it ends.

        One that was interrupted before anything was measured is not saved: it would take the
        place of an earlier one.

        Args:
            specs: As for ``run_cells``.
            more: As for ``run_cells``.

        Returns:
            As ``run_cells``.
        """
        try:
            self._measure(specs)
            while further := more(self.cells):
                self._measure(further)
            self._refine()
        except KeyboardInterrupt:
            self._was_interrupted = True
            for state in self._states:
                state.settle()
        run = self._run()
        if run.cells or not self._was_interrupted:
            self._save(run)
        return run, self._was_interrupted

    def _measure(self, specs: Sequence[TrialSpec]) -> None:
        """Give each of these cells the trials that it gets at first, in turns there and back."""
        added = [
            CellState(spec, self._sampling.of_cell(spec.cell), self._header.secrets, self._kept)
            for spec in specs
        ]
        self._states += added
        # A file that cannot be read is told before anything else is.
        kept = [state.take_kept() for state in added]
        self._least += sum(state.expected_trials for state in added)
        for state, result in zip(added, kept, strict=True):
            self._tell_taken(state, result)
        self._run_turns(added)
        for state in added:
            if (result := state.settled_early()) is not None:
                self._observer.cell_ends(result)

    def _run_turns(self, added: Sequence[CellState]) -> None:
        """Run the trials that cells get at first."""
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

    def _refine(self) -> None:
        """Spend what is left of a budget on the cells that another trial may tell more about."""
        for turn in count(self._sampling.trials):
            wanting = wanting_more(in_turn(self._states, turn))
            if not wanting:
                return
            for state in wanting:
                if not self._sampling.is_in_time(self._spent_s, self._done):
                    return
                self._run_trial(state)

    @property
    def _spent_s(self) -> float:
        return self._now_s() - self._began_s

    def _tell_taken(self, state: CellState, result: CellResult | None) -> None:
        """Tell of what an earlier start of the run has measured of a cell."""
        self._taken += state.trial_count
        if result is not None:
            self._observer.trial_begins(state.spec.cell, self._taken - 1, self._expected())
            self._observer.trial_ends(state.so_far)
            self._observer.cell_ends(result)

    def _expected(self) -> int:
        return self._sampling.expected(self._least, self._spent_s, self._taken + self._done)

    def _run_trial(self, state: CellState, then: TrialSpec | None = None) -> None:
        self._tell_begin(state)
        self._take(state, outcome_of(self._runner, state.spec, then))

    def _tell_begin(self, state: CellState) -> None:
        self._observer.trial_begins(state.spec.cell, self._taken + self._done, self._expected())

    def _take(
        self,
        state: CellState,
        outcome: TrialResult | NotApplicable | TrialError,
        turn: int | None = None,
    ) -> None:
        """Take what came of a trial, and tell of it."""
        before = state.expected_trials
        result = state.take(outcome, turn)
        self._least += state.expected_trials - before
        self._done += 1
        if state.trial_count:
            self._observer.trial_ends(state.so_far)
        if result is not None:
            self._observer.cell_ends(result)

    def _run(self) -> Run:
        planned = len(self._states) if self._was_interrupted else None
        return run_of(self._header, self.cells, planned=planned)


def outcome_of(
    runner: Trials, spec: TrialSpec, then: TrialSpec | None
) -> TrialResult | NotApplicable | TrialError:
    """Run one trial, and return what came of it, as a value also where it failed.

    Raises:
        TargetError: A target cannot be used.
    """
    try:
        return runner.run(spec, then)
    except TrialError as error:
        return error


def run_of(
    header: RunHeader,
    cells: Sequence[CellResult],
    *,
    planned: int | None = None,
    more: Sequence[Finding] = (),
) -> Run:
    """Return the run that cells make, with its warnings.

    Args:
        header: What was known of it before.
        cells: The cells that have a result.
        planned: How many were to have one, if the run was interrupted; else ``None``.
        more: Warnings that no result tells of.
    """
    findings = (*more, *findings_of(cells))
    if planned is not None:
        findings = (interrupted(len(cells), planned), *findings)
    return Run(
        created_at=header.created_at,
        command=redact(header.command, header.secrets),
        environment=header.environment,
        objective=header.objective,
        cells=tuple(cells),
        findings=findings,
    )
