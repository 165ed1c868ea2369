"""The data flow of each target of a run: one session by itself, in virtual time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...mocks.clock import ClockMode
from ...mocks.errors import TrialError
from ...mocks.scenario import Scenario
from ...mocks.transports.registry import RESPX
from ...mocks.workload.arrivals import CLOSED
from ..results.data_flow import DataFlow
from ..results.records import CellResult, Run, Status
from ..results.trial_result import TrialResult
from ..runner.runner import Trials
from ..trial.spec import TrialSpec


def data_flow_spec(result: CellResult, scenario: Scenario) -> TrialSpec:
    """Return the trial that finds the data flow of a cell's target: of one session, alone."""
    cell = replace(
        result.cell,
        clock=ClockMode.VIRTUAL,
        transport=RESPX.name,
        arrivals=CLOSED.name,
        concurrency=1,
        session_count=1,
        processes=1,
    )
    return TrialSpec(scenario, cell, notes_waits=True, finds_data_flow=True)


def data_flow_of(result: CellResult, scenario: Scenario, trials: Trials) -> DataFlow | None:
    """Return the data flow of a cell's target; ``None`` if it cannot be found.

    Args:
        result: The cell.
        scenario: Its scenario.
        trials: Runs a trial.
    """
    try:
        trial = trials.run(data_flow_spec(result, scenario))
    except TrialError:
        return None
    return trial.data_flow if isinstance(trial, TrialResult) else None


def with_data_flows(run: Run, scenarios: Iterable[Scenario], trials: Trials) -> Run:
    """Return a run in which the fastest cell of each scenario and target has its data flow.

    Args:
        run: The run.
        scenarios: Its scenarios.
        trials: Runs a trial.
    """
    by_name = {scenario.name: scenario for scenario in scenarios}
    chosen = _fastest(run.cells)
    if not chosen:
        return run
    cells = tuple(
        replace(cell, data_flow=data_flow_of(cell, by_name[cell.cell.scenario], trials))
        if number in chosen
        else cell
        for number, cell in enumerate(run.cells)
    )
    return replace(run, cells=cells)


def _fastest(cells: Sequence[CellResult]) -> frozenset[int]:
    """Return the number of the fastest cell of each scenario and target without a lost session."""
    found: dict[tuple[str, str], int] = {}
    for number, result in enumerate(cells):
        if result.status is not Status.MEASURED or not result.sessions.all_succeeded:
            continue
        if result.service is not None:  # it runs in real time only
            continue
        key = result.cell.scenario, result.cell.target
        best = found.get(key)
        if best is None or cells[best].achieved_per_s < result.achieved_per_s:
            found[key] = number
    return frozenset(found.values())
