"""A run under way: what is done with its trials, however these are run."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ...mocks.redaction import redact
from ..results.cell import Cell
from ..results.records import CellResult, Environment, Finding, Run
from ..results.trial_file import KeptTrials, NoTrialsKept
from ..statistics.stopping import Sampling
from ..trial.spec import TrialSpec
from .cell_state import CellState, TrialOutcome
from .findings import findings_of, interrupted


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What a run is connected to.

    Attributes:
        header: Goes into the run as it is.
        sampling: How many trials each cell gets.
        observer: Told how it gets on.
        save: Called with the run, once, when it has ended or is interrupted.
        kept: Where trials are kept as they end, and those of an earlier start are taken from.
        now_s: Reads the time that a budget is spent in.
    """

    header: RunHeader
    sampling: Sampling
    observer: Observer
    save: Callable[[Run], None]
    kept: KeptTrials = field(default_factory=NoTrialsKept)
    now_s: Callable[[], float] = time.monotonic


class Measurement(ABC):
    """A run under way: cells are measured, more may follow, and in the end all are refined.

    How its trials are run, a subclass says.

    Args:
        wiring: What it is connected to; a budget is spent from now on.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._header = wiring.header
        self._sampling = wiring.sampling
        self._observer = wiring.observer
        self._save = wiring.save
        self._kept = wiring.kept
        self._now_s = wiring.now_s
        self._began_s = wiring.now_s()
        self._states: list[CellState] = []
        self._taken = 0
        self._least = 0
        self._done = 0
        self._was_interrupted = False

    @abstractmethod
    def _run_turns(self, added: Sequence[CellState]) -> None:
        """Run the trials that these cells get at first."""

    @abstractmethod
    def _refine(self) -> None:
        """Spend what is left of a budget on the cells that another trial may tell more about."""

    def _findings(self) -> tuple[Finding, ...]:
        """Return the warnings that no result tells of."""
        return ()

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
            specs: The cells.
            more: Names further cells by the results so far, until it has none.

        Returns:
            The run, and whether it was interrupted.

        Raises:
            TargetError: A target cannot be used.
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

    def _tell_begin(self, state: CellState) -> None:
        self._observer.trial_begins(state.spec.cell, self._taken + self._done, self._expected())

    def _take(
        self,
        state: CellState,
        outcome: TrialOutcome,
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
        return run_of(self._header, self.cells, planned=planned, more=self._findings())


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
