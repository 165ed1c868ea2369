"""Whether what a run found is bad: failures that its scenarios do not script, a missed objective.

Pure. A scenario that scripts what goes wrong (faults of the model or of a service, limits, a
service that answers with an error) explains sessions that fail. It never explains a trial that
crashed, hung or was killed, nor sessions that a strategy did not start, or started too soon.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ...mocks.scenario import NO_LIMITS, Scenario
from ..results.records import CellResult, Status
from ..statistics.objectives import Objective, Objectives

_LEAST_ERROR_STATUS = 400


class FailureKind(StrEnum):
    """What went wrong in a cell."""

    TRIAL = "trial"
    """A trial crashed, hung, was killed, or could not keep the time."""

    SESSIONS_LOST = "sessions_lost"
    """Sessions were never started."""

    ABOVE_CONCURRENCY = "above_concurrency"
    """More sessions were in flight than were to be."""

    SESSIONS = "sessions"
    """Sessions failed, timed out or were cancelled."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell that failed, and that nothing explains.

    Attributes:
        result: The cell with its result.
        kind: What went wrong.
    """

    result: CellResult
    kind: FailureKind


class ObjectiveOutcome(StrEnum):
    """Whether a run meets its objectives."""

    MET = "met"
    MISSED = "missed"
    TOO_FEW_SAMPLES = "too_few_samples"


def scripts_failures(scenario: Scenario) -> bool:
    """Whether a scenario scripts what may make a session fail."""
    return (
        bool(scenario.faults)
        or scenario.limits != NO_LIMITS
        or any(
            service.faults or service.status >= _LEAST_ERROR_STATUS for service in scenario.services
        )
        or any(endpoint.faults for endpoint in scenario.endpoints.values())
    )


def failures_of(
    cells: Iterable[CellResult], explained: Collection[str] = (), max_failed: float = 0.0
) -> tuple[Failure, ...]:
    """Return the cells that failed, and that nothing explains.

    Args:
        cells: The results of a run; those that do not apply are no failures.
        explained: Names of the scenarios that script what may make a session fail.
        max_failed: Share of a cell's sessions, 0 to 1, that may fail unexplained.
    """
    found = []
    for result in cells:
        kind = _failure_of(result, is_explained=result.cell.scenario in explained, most=max_failed)
        if kind is not None:
            found.append(Failure(result, kind))
    return tuple(found)


def _failure_of(result: CellResult, *, is_explained: bool, most: float) -> FailureKind | None:
    if result.status is Status.FAILED:
        return FailureKind.TRIAL
    if result.status is Status.NOT_APPLICABLE:
        return None
    sessions = result.sessions
    if sessions.started < result.cell.session_count * result.trials:
        return FailureKind.SESSIONS_LOST
    if not result.keeps_concurrency:
        return FailureKind.ABOVE_CONCURRENCY
    if not is_explained and sessions.started - sessions.succeeded > most * sessions.started:
        return FailureKind.SESSIONS
    return None


def within_limits(cells: Sequence[CellResult]) -> tuple[CellResult, ...]:
    """Return the cells of a sweep at loads up to the limit that it found.

    The limit of a strategy on a loop is the load that achieved most. A sweep goes beyond it on
    purpose, so what fails there is no failure. Where nothing was achieved at all, there is no
    limit, and every load counts.
    """
    best: dict[tuple[object, ...], CellResult] = {}
    for result in cells:
        if result.achieved_per_s:
            series = _series_of(result)
            known = best.get(series)
            if known is None or result.achieved_per_s > known.achieved_per_s:
                best[series] = result
    return tuple(
        result
        for result in cells
        if (limit := best.get(_series_of(result))) is None
        or result.cell.concurrency <= limit.cell.concurrency
    )


def _series_of(result: CellResult) -> tuple[object, ...]:
    cell = result.cell
    return cell.scenario, cell.target, cell.transport, cell.strategy, cell.loop, cell.processes


def objective_outcome(
    cells: Iterable[CellResult], objectives: Objectives
) -> tuple[ObjectiveOutcome, Objective | None]:
    """Return whether any cell meets all objectives, or whether too few samples tell.

    Args:
        cells: The results of a run.
        objectives: The objectives.

    Returns:
        The outcome, and the objective that no cell has the samples for, if that is why.
    """
    measured = [result for result in cells if result.status is Status.MEASURED]
    if any(map(objectives.are_met_by, measured)):
        return ObjectiveOutcome.MET, None
    unreported = objectives.first_unreported(measured) if measured else None
    if unreported is not None:
        return ObjectiveOutcome.TOO_FEW_SAMPLES, unreported
    return ObjectiveOutcome.MISSED, None
