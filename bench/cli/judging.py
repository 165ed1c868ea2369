"""The exit status of a run, and the line on stderr that says why it is not 0."""

import sys
from collections.abc import Iterable, Sequence

from ...mocks.scenario import Scenario
from ...reports.comparison.objectives import figure_text, samples_text
from ..results.finding_text import refused_host
from ..results.formatting import counted, percent
from ..results.records import CellResult, Run, Status
from ..runner.outcome import (
    Failure,
    FailureKind,
    ObjectiveOutcome,
    failures_of,
    objective_outcome,
    scripts_failures,
    within_limits,
)
from ..statistics.objectives import recorded_objectives
from .exit_status import BAD_ANSWER, DONE, NOT_DONE

_WHAT = {
    FailureKind.TRIAL: "its trial failed",
    FailureKind.SESSIONS_LOST: "it did not start every session",
    FailureKind.ABOVE_CONCURRENCY: "it had more sessions in flight than its concurrency",
    FailureKind.SESSIONS: "sessions failed that no scripted fault explains",
}


def failure_status(
    run: Run, scenarios: Iterable[Scenario], max_failed: float, *, is_sweep: bool
) -> int:
    """Return ``BAD_ANSWER`` and say why, if cells of a run failed unexplained; else ``DONE``.

    Args:
        run: The run.
        scenarios: Its scenarios.
        max_failed: Share of a cell's sessions that may fail.
        is_sweep: Whether it looked for the greatest load, and so went beyond it.
    """
    cells: Sequence[CellResult] = within_limits(run.cells) if is_sweep else run.cells
    explained = {scenario.name for scenario in scenarios if scripts_failures(scenario)}
    failures = failures_of(cells, explained, max_failed)
    if not failures:
        return DONE
    say_why(_failed(failures))
    return BAD_ANSWER


def ranking_status(run: Run) -> int:
    """Return ``NOT_DONE`` and say why, if refused requests cost too much of a cell's time."""
    distorted = [
        result
        for result in run.cells
        if result.status is Status.MEASURED and not result.is_undistorted
    ]
    if not distorted:
        return DONE
    first = distorted[0]
    others = len(distorted) - 1
    more = f", nor {counted(others, 'other cell')}" if others else ""
    say_why(
        f"{first.cell.name}: could not judge{more}, refused requests to "
        f"{refused_host(first.refused[0].host)} cost {percent(first.refused_share)} of the "
        "sessions' time; add the host to the [[services]] of the scenario"
    )
    return NOT_DONE


def objective_status(run: Run) -> int:
    """Return ``DONE`` if a cell meets the run's objective, or none was asked for; else say why."""
    if run.objective is None:
        return DONE
    objectives = recorded_objectives(run.objective)
    outcome, unreported = objective_outcome(run.cells, objectives)
    match outcome:
        case ObjectiveOutcome.MET:
            return DONE
        case ObjectiveOutcome.MISSED:
            them = "it" if len(objectives.each) == 1 else "all of them"
            say_why(f"--slo {run.objective}: missed, no cell meets {them} without failed sessions")
            return BAD_ANSWER
        case ObjectiveOutcome.TOO_FEW_SAMPLES:
            assert unreported is not None
            say_why(
                f"--slo {run.objective}: could not judge, {figure_text(unreported)} takes "
                f"{samples_text(unreported)} of a cell"
            )
            return NOT_DONE


def _failed(failures: Sequence[Failure]) -> str:
    first = failures[0]
    others = len(failures) - 1
    more = f", and {counted(others, 'other cell')} failed" if others else ""
    return f"{first.result.cell.name}: {_WHAT[first.kind]}{more}"


def say_why(line: str) -> None:
    """Say on stderr why the exit status is not 0."""
    print(f"warpbench: {line}", file=sys.stderr)  # noqa: T201
