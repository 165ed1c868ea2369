"""How a run scales: where throughput ends, as fitted, and what meets objectives, as measured."""

from dataclasses import dataclass

from ...bench.results.records import CellResult, Run, Status
from ...bench.statistics.objectives import (
    Objective,
    Objectives,
    fastest_within,
    recorded_objectives,
)
from ...bench.statistics.scaling import ScalingLaw, law_of
from ...bench.statistics.standing import Standing, standing_to
from .ranking import ComparisonGroup, Series

_WORST_FIT = 0.1
_WITHIN_REACH = 4


def fitted_law(series: Series) -> ScalingLaw | None:
    """Return the law of a line of the throughput chart, if it has enough loads for one."""
    return None if series.serial else law_of(series.cells)


def fits_well(law: ScalingLaw | None) -> bool:
    """Whether a law fits well enough to tell anything."""
    return law is not None and law.error <= _WORST_FIT


def objectives_of(run: Run) -> Objectives | None:
    """Return the objectives that a run was asked for."""
    return None if run.objective is None else recorded_objectives(run.objective)


@dataclass(frozen=True, slots=True)
class Scaling:
    """Where the throughput of a group's best series ends.

    Attributes:
        best: The best cell of the series.
        law: The scaling law fitted to it.
        greatest_load: The greatest concurrency of the group.
    """

    best: CellResult
    law: ScalingLaw
    greatest_load: int


@dataclass(frozen=True, slots=True)
class Goodput:
    """What meets the objectives that were asked for.

    Attributes:
        objectives: The objectives.
        leader: The cell with the highest throughput among those that meet all of them, if any does.
        alike: The leader, and the cells at the same concurrency that are tied with it.
        unreported: The first of them that a cell has too few samples for, if none meets all.
        most: The cell with the greatest goodput, where none meets the objectives, if any session
            does.
    """

    objectives: Objectives
    leader: CellResult | None
    alike: tuple[CellResult, ...] = ()
    unreported: Objective | None = None
    most: CellResult | None = None


def scaling_of(group: ComparisonGroup) -> Scaling | None:
    """Return where the throughput of the best series ends, if it has the loads to tell."""
    best = next(iter(group.best_of_series), None)
    if best is None or not best.is_undistorted:
        return None
    lines = {(series.strategy, series.loop): series for series in group.series}
    law = fitted_law(lines[best.cell.strategy, best.cell.loop])
    return None if law is None else Scaling(best, law, group.loads[-1])


def has_knee_in_reach(law: ScalingLaw, greatest_load: int) -> bool:
    """Whether throughput ends by a law near enough to the loads that were measured."""
    if law.saturation_per_s is None:
        return False
    return law.knee is None or law.knee <= _WITHIN_REACH * greatest_load


def goodput_of(group: ComparisonGroup, objectives: Objectives) -> Goodput:
    """Return the highest throughput that meets objectives, or else the greatest goodput."""
    by_series = (
        fastest_within([cell for cell in series.cells if cell.is_undistorted], objectives)
        for series in group.series
    )
    found = [best for best in by_series if best is not None]
    if not found:
        measured = [
            result
            for series in group.series
            for result in series.cells
            if result.status is Status.MEASURED and result.sessions.all_succeeded
        ]
        unreported = next(
            (
                one
                for one in objectives.each
                if any(one.reached_s(result) is None for result in measured)
            ),
            None,
        )
        most = _most_of(group, objectives)
        return Goodput(objectives, None, unreported=unreported, most=most)
    leader = max(found, key=lambda result: result.achieved_per_s)
    alike = tuple(
        result
        for result in found
        if result.cell.concurrency == leader.cell.concurrency
        and (result is leader or standing_to(leader, result) is Standing.TIED)
    )
    return Goodput(objectives, leader, alike)


def _most_of(group: ComparisonGroup, objectives: Objectives) -> CellResult | None:
    per_s = {
        cell: objectives.goodput_per_s(cell) or 0.0 for cell in group.cells if cell.is_undistorted
    }
    best = max(per_s, key=lambda cell: per_s[cell], default=None)
    return best if best is not None and per_s[best] > 0 else None
