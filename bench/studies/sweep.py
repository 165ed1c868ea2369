"""``--concurrency auto``: raises the load until throughput stops growing.

Each strategy on each loop is followed by itself: the load is doubled, and one that two doublings
running have not raised by a twentieth each is left alone. Then the loads half-way (by ratio) to
both neighbours of its best are measured, so that the knee lies within one step.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..results.cell import Cell
from ..results.records import CellResult, Status
from ..runner.plan import Factors, cells_of, sessions_at
from ..statistics.objectives import Objectives
from ..trial.spec import TrialSpec

MOST_LOAD = 16_384
"""Where a sweep ends in any case."""

SESSIONS_A_PLACE = 4
"""Sessions of a trial for each that runs at once, at least: one wave is no throughput."""

_GROWTH = 1.05
_FLAT_STEPS = 2

Series = tuple[str, str, str, str, str, int, int]


class Sweep:
    """Names the cells of a sweep, load by load: which come next follows from what was found.

    Args:
        factors: What is varied; their loads are not used.
        objectives: The objectives, if there are any: a cell has as many sessions as one of them
            takes samples.
        trials: How many trials each cell gets at least.
    """

    def __init__(self, factors: Factors, objectives: Objectives | None, trials: int) -> None:
        self._factors = factors
        self._fewest_sessions = 1 if objectives is None else -(-objectives.samples // trials)
        self._load = 1
        self._growing = {_series_of(spec.cell) for spec in _specs(factors, None)}
        self._is_at_its_end = False

    def next(self, cells: Sequence[CellResult]) -> tuple[TrialSpec, ...]:
        """Return the cells to measure after those that have a result; none at the end."""
        if self._is_at_its_end:
            return ()
        found = _by_series(cells)
        self._growing = {
            series for series in self._growing if series not in found or _is_growing(found[series])
        }
        if self._growing and self._load <= MOST_LOAD:
            wanted: dict[Series, tuple[int, ...]] = dict.fromkeys(self._growing, (self._load,))
            self._load *= 2
        else:
            self._is_at_its_end = True
            wanted = {series: half_way_loads(measured) for series, measured in found.items()}
        return _specs(self._factors, wanted, self._fewest_sessions)


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
                sessions_at(load, scenario.sessions), SESSIONS_A_PLACE * load, fewest_sessions
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
        flat = 0 if cell.achieved_per_s > best_per_s * _GROWTH else flat + 1
        best_per_s = max(best_per_s, cell.achieved_per_s)
    return flat < _FLAT_STEPS


def _series_of(cell: Cell) -> Series:
    return (
        cell.scenario,
        cell.target,
        cell.transport,
        cell.strategy,
        cell.loop,
        cell.processes,
        cell.workers,
    )


def _by_series(cells: Iterable[CellResult]) -> dict[Series, list[CellResult]]:
    """Return cells by series, each in ascending order of load."""
    found: dict[Series, list[CellResult]] = {}
    for result in sorted(cells, key=lambda result: result.cell.concurrency):
        found.setdefault(_series_of(result.cell), []).append(result)
    return found
