"""Runs every cell of a plan, trial by trial, and keeps what is finished."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..mocks.errors import TrialError
from .findings import findings_of, interrupted
from .plan import interleaved
from .record import Cell, CellResult, Environment, Run, Status, TrialResult
from .redaction import redact
from .statistics import cell_result, without_result
from .trial import NotApplicable, TrialSpec


class Trials(Protocol):
    """What runs a trial: processes, or a fake of them in a test."""

    def run(self, spec: TrialSpec) -> TrialResult | NotApplicable:
        """Run one trial; raise ``TrialError`` if it comes to nothing."""
        ...


class Observer(Protocol):
    """Told how a run gets on."""

    def trial_begins(self, cell: Cell, done: int, total: int) -> None:
        """A trial begins, ``done`` of ``total`` before it."""
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
    secrets: tuple[str, ...] = ()


def run_cells(
    header: RunHeader,
    specs: Sequence[TrialSpec],
    *,
    trials: int,
    runner: Trials,
    observer: Observer,
    save: Callable[[Run], None],
) -> tuple[Run, bool]:
    """Run the cells, their trials taking turns, and save the run after each finished cell.

    A cell whose trial fails is a failed cell with the reason; the others go on. Ctrl-C ends
    the run with what is finished.

    Args:
        header: Goes into the run as it is.
        specs: The cells.
        trials: Trials of each.
        runner: Runs a trial.
        observer: Told how it gets on.
        save: Called with the run so far.

    Returns:
        The run, and whether it was interrupted.

    Raises:
        TargetError: A target cannot be used.
    """
    states = [_CellState(spec, trials, header.secrets) for spec in specs]
    total = len(specs) * trials
    was_interrupted = False
    try:
        for done, (_, index) in enumerate(interleaved(len(specs), trials)):
            state = states[index]
            if state.result is not None:
                continue
            observer.trial_begins(state.spec.cell, done, total)
            result = state.run_trial(runner)
            if result is not None:
                save(_run_so_far(header, states, was_interrupted=False))
                observer.cell_ends(result)
    except KeyboardInterrupt:
        was_interrupted = True
        for state in states:
            state.settle()
    run = _run_so_far(header, states, was_interrupted=was_interrupted)
    save(run)
    return run, was_interrupted


class _CellState:
    """A cell and its trials so far."""

    def __init__(self, spec: TrialSpec, trials: int, secrets: tuple[str, ...]) -> None:
        self.spec = spec
        self.result: CellResult | None = None
        self._wanted = trials
        self._secrets = secrets
        self._trials: list[TrialResult] = []

    def run_trial(self, runner: Trials) -> CellResult | None:
        """Run one more trial; return the cell's result once it has one."""
        try:
            outcome = runner.run(self.spec)
        except TrialError as error:
            self.result = without_result(
                self.spec.cell, Status.FAILED, redact(str(error), self._secrets)
            )
            return self.result
        if isinstance(outcome, NotApplicable):
            self.result = without_result(
                self.spec.cell, Status.NOT_APPLICABLE, redact(outcome.reason, self._secrets)
            )
            return self.result
        self._trials.append(outcome)
        if len(self._trials) == self._wanted:
            self.settle()
        return self.result

    def settle(self) -> None:
        """Make a result of the trials that there are, if any."""
        if self.result is None and self._trials:
            result = cell_result(self.spec.cell, self._trials)
            if result.error is not None:
                result = replace(result, error=redact(result.error, self._secrets))
            self.result = result


def _run_so_far(header: RunHeader, states: Sequence[_CellState], *, was_interrupted: bool) -> Run:
    cells = tuple(state.result for state in states if state.result is not None)
    findings = findings_of(cells)
    if was_interrupted:
        findings = (interrupted(len(cells), len(states)), *findings)
    return Run(
        created_at=header.created_at,
        command=redact(header.command, header.secrets),
        environment=header.environment,
        cells=cells,
        findings=findings,
    )
