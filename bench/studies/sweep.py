"""``--concurrency auto``: raises the load until throughput stops growing.

Each strategy on each loop is followed by itself: the load is doubled, and one that has not grown
by a twentieth over its best in two steps running is left alone. Then the loads half-way (by ratio)
to both neighbours of its best are measured, so that the knee lies within one step.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ..results.cell import Cell
from ..results.records import CellResult, Run, Status
from ..results.trial_file import KeptTrials
from ..runner.plan import Factors, cells_of
from ..runner.runner import Measurement, Observer, RunHeader, Trials
from ..statistics.scaling import recorded_objective
from ..statistics.stopping import Sampling
from ..trial.spec import TrialSpec

MOST_LOAD = 16_384
"""Where a sweep ends in any case."""

SESSIONS_A_PLACE = 4
"""Sessions of a trial for each that runs at once, at least: one wave is no throughput."""

_GROWTH = 1.05
_FLAT_STEPS = 2

Series = tuple[str, str, str, str, str]


def sweep(
    header: RunHeader,
    factors: Factors,
    *,
    sampling: Sampling,
    runner: Trials,
    observer: Observer,
    save: Callable[[Run], None],
    kept: KeptTrials | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> tuple[Run, bool]:
    """Measure each strategy at rising loads.

    Args:
        header: Goes into the run as it is; its objective says how many sessions a cell takes.
        factors: What is varied; their loads are not used.
        sampling: How many trials each cell gets; what a budget leaves when the loads are found
            goes to the cells whose figure is uncertain.
        runner: Runs a trial.
        observer: Told how it gets on.
        save: As for ``run_cells``.
        kept: As for ``run_cells``.
        now_s: Reads the time that a budget is spent in.

    Returns:
        The run, and whether it was interrupted.
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
    objective = None if header.objective is None else recorded_objective(header.objective)
    fewest_sessions = 1 if objective is None else -(-objective.sessions // sampling.trials)
    return measurement.run(lambda: _find_loads(measurement, factors, fewest_sessions))


def _find_loads(measurement: Measurement, factors: Factors, fewest_sessions: int) -> None:
    load, growing = 1, {_series_of(spec.cell) for spec in _specs(factors, None)}
    while growing and load <= MOST_LOAD:
        wanted = dict.fromkeys(growing, (load,))
        measurement.measure(_specs(factors, wanted, fewest_sessions))
        load *= 2
        growing = {
            series
            for series, cells in _by_series(measurement.cells).items()
            if series in growing and _is_growing(cells)
        }
    half_way = {
        series: half_way_loads(cells) for series, cells in _by_series(measurement.cells).items()
    }
    measurement.measure(_specs(factors, half_way, fewest_sessions))


def half_way_loads(cells: Sequence[CellResult]) -> tuple[int, ...]:
    """Return the loads between the best one of a series and its neighbours, by ratio."""
    measured = [result for result in cells if result.status is Status.MEASURED]
    if not measured:
        return ()
    best = max(measured, key=lambda result: result.achieved_per_s).cell.concurrency
    loads = {result.cell.concurrency for result in measured}
    neighbours = [max((load for load in loads if load < best), default=None)]
    neighbours.append(min((load for load in loads if load > best), default=None))
    half_way = {
        round(math.sqrt(best * neighbour)) for neighbour in neighbours if neighbour is not None
    }
    return tuple(sorted(half_way - loads))


def _specs(
    factors: Factors, wanted: Mapping[Series, Iterable[int]] | None, fewest_sessions: int = 1
) -> tuple[TrialSpec, ...]:
    """Return the cells that are wanted; without wishes one of each series."""
    loads = {1} if wanted is None else {load for asked in wanted.values() for load in asked}
    specs = []
    for load in sorted(loads):
        for scenario in factors.scenarios:
            count = factors.session_count or max(
                scenario.sessions, SESSIONS_A_PLACE * load, fewest_sessions
            )
            at_load = replace(
                factors,
                scenarios=(scenario,),
                concurrency=(load,),
                session_count=count,
                # The same for all loads; a pool starts no more threads than are needed.
                tool_workers=MOST_LOAD * max(1, scenario.widest_round)
                if factors.tool_workers is None
                else factors.tool_workers,
            )
            specs += [
                replace(spec, accounts_time=True)
                for spec in cells_of(at_load)
                if wanted is None or load in tuple(wanted.get(_series_of(spec.cell), ()))
            ]
    return tuple(specs)


def _is_growing(cells: Sequence[CellResult]) -> bool:
    if cells[-1].status is not Status.MEASURED:
        return False
    best_per_s, flat = 0.0, 0
    for cell in cells:
        if cell.achieved_per_s > best_per_s * _GROWTH:
            best_per_s, flat = cell.achieved_per_s, 0
        else:
            flat += 1
    return flat < _FLAT_STEPS


def _series_of(cell: Cell) -> Series:
    return cell.scenario, cell.target, cell.transport, cell.strategy, cell.loop


def _by_series(cells: Iterable[CellResult]) -> dict[Series, list[CellResult]]:
    """Return cells by series, each in ascending order of load."""
    found: dict[Series, list[CellResult]] = {}
    for result in sorted(cells, key=lambda result: result.cell.concurrency):
        found.setdefault(_series_of(result.cell), []).append(result)
    return found
